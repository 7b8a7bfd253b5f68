using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Limits;
using Akka.Actor;

namespace AgentMesh.Workers.Supervision;

/// <summary>Whether a caller may have a command run here.</summary>
/// <param name="caller">The device that gives the order, as remoting has proven it: the home of the job, or a member of the pool that is its home.</param>
/// <param name="order">After its aliases were replaced. A program may read and change what the user of this device may: it needs a grant.</param>
/// <param name="command">The name of its handler; "run" for a program.</param>
/// <returns>Null where it may; otherwise what the caller is told.</returns>
public delegate MeshException? CommandPermission(DeviceId caller, AttemptOrder order, string command);

/// <summary>What the supervisor of the workers is made with.</summary>
/// <param name="Incarnation">This life of the node process: attempts sent to an earlier one are not begun again.</param>
/// <param name="Aliases">Of this device.</param>
/// <param name="EntityOf">Where messages to the entity of a job are sent.</param>
public sealed record WorkerSettings(
    DeviceId Self,
    long Incarnation,
    ExecutionTable Table,
    IReadOnlyDictionary<string, string> Aliases,
    CommandPermission Permission,
    IAttemptAudit Audit,
    Func<JobId, IActorRef> EntityOf)
{
    /// <summary>What a program may reach that a device has started here; null for everything. Asked when it may be started.</summary>
    public Func<DeviceId, AttemptOrder, Confinement?> Confine { get; init; } = static (_, _) => null;

    /// <summary>How much is taken from each device; null for no limit.</summary>
    public RateLimiter? Limiter { get; init; }

    /// <summary>Whether a device speaks for a home: a device for itself, a member for its pool.</summary>
    public Func<HomeId, DeviceId, bool> SpeaksFor { get; init; } = static (home, device) => home == device;

    /// <summary>In [0, 1), for the jitter of what is repeated.</summary>
    public Func<double> Random { get; init; } = static () => 0.5;
}
