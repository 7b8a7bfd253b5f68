using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>What a job needs of the device it lives on.</summary>
/// <param name="LifeOf">Which life of its node a device has now: null while it is away. Another number means that it was restarted.</param>
/// <param name="WorkersOf">The supervisor of the workers on a device.</param>
/// <param name="Random">In [0, 1).</param>
/// <param name="RestAfter">So long a job at rest that nobody asks for stays in memory.</param>
public sealed record JobEnvironment(
    DeviceId Self, Func<DeviceId, long?> LifeOf, Func<IActorContext, DeviceId, ICanTell> WorkersOf, TimeProvider Time, Func<double> Random, TimeSpan RestAfter)
{
    /// <summary>When a device that is away was last there; null for never, or where nobody knows.</summary>
    public Func<DeviceId, DateTimeOffset?> LastSeenOf { get; init; } = static _ => null;

    /// <summary>How long a running attempt is waited for while its device is away; it may go on there.</summary>
    public TimeSpan AwayTimeout { get; init; }

    /// <summary>The jobs of this home, for those that wait for others.</summary>
    public Func<IActorRef> Jobs { get; init; } = static () => ActorRefs.Nobody;

    /// <summary>Null for the default journal of the actor system.</summary>
    public HomeJournal? Journal { get; init; }

    /// <summary>Whether a device speaks for this home; null where only its own device does.</summary>
    public Func<DeviceId, bool>? IsHome { get; init; }

    /// <summary>The groups of this home, for jobs that belong to one.</summary>
    public Func<IActorRef> Groups { get; init; } = static () => ActorRefs.Nobody;

    /// <summary>Where jobs wait for their devices; null where they look for them themselves.</summary>
    public Func<IActorRef>? Door { get; init; }

    /// <summary>The devices of a schedule that are looked for at each time.</summary>
    public ChooseCronTargets ChooseForCron { get; init; } = static (_, _) => [];

    /// <summary>Sends what is told of a job or a run of a schedule to its URL.</summary>
    public DeliverParcel Deliver { get; init; } = DeliveryAnswer.NothingIsSent;

    /// <summary>On which devices the elements of an array may run.</summary>
    public Func<ArrayTargets, IReadOnlyList<ArrayDevice>> DevicesFor { get; init; } = static _ => [];

    /// <summary>Which of these artifacts, by name, the store of this home took from an attempt. A failure is tried again with the next repeat of the end.</summary>
    public Func<JobId, int, ValueList<ArtifactRef>, Task<IReadOnlySet<string>>> ArtifactsTaken { get; init; } =
        static (_, _, told) => Task.FromResult<IReadOnlySet<string>>(told.Select(artifact => artifact.Name).ToHashSet());

    /// <summary>What jobs of this home wrote, for the workflows that they are steps of.</summary>
    public Workflows.Entity.ReadOutput ReadOutput { get; init; } = static (_, _, _) => Task.FromResult<string?>(null);

    /// <summary>Whether what a device says counts as said by this home.</summary>
    internal bool SpeaksForHome(DeviceId device) => IsHome?.Invoke(device) ?? device == Self;

    /// <summary>Why a job for a device that is away cannot begin.</summary>
    internal string AbsenceOf(JobTarget target, DateTimeOffset now) => Absence.Of(target.Name, LastSeenOf(target.Device), now);
}
