using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport.Spare;

namespace AgentMesh.Node.Reach;

/// <summary>What <see cref="Puncher"/>s of all links share: what this device knows of itself, and what it can do only once at a time. Immutable.</summary>
internal sealed record PunchHelp
{
    /// <summary>Where this device may be reached now.</summary>
    public required Func<IReadOnlyList<IPEndPoint>> Candidates { get; init; }

    /// <summary>This device itself is at an address.</summary>
    public Func<IPEndPoint, bool> IsOwn { get; init; } = static _ => false;

    /// <summary>Where beacons see this device's usual socket, over IPv4; null where none does.</summary>
    public Func<IPEndPoint?> Outside { get; init; } = static () => null;

    public Func<NatBehaviour> Nat { get; init; } = static () => NatBehaviour.Unknown;

    /// <summary>The outside address of a fresh socket, now; null when it cannot be known.</summary>
    public Func<CancellationToken, Task<IPEndPoint?>> SampleAsync { get; init; } = static _ => Task.FromResult<IPEndPoint?>(null);

    /// <summary>Whether beacons say that a device is at this IP address.</summary>
    public Func<DeviceId, IPEndPoint, CancellationToken, Task<bool>> IsThereAsync { get; init; } = static (_, _, _) => Task.FromResult(false);

    /// <summary>Null where there are none: then ports are neither predicted nor guessed.</summary>
    public SpareSockets? Spares { get; init; }

    /// <summary>One attempt at guessing at a time, in either part.</summary>
    public SemaphoreSlim Guessing { get; } = new(1);
}
