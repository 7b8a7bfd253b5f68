using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Reach;

/// <summary>What tells this device that others reach it by themselves. Immutable.</summary>
internal sealed record ReachEvidence
{
    /// <summary>A device has opened a connection to this one just now.</summary>
    public required Action<DeviceId> Come { get; init; }

    /// <summary>A device has opened a connection to this one within the last weeks, in an earlier life of this node as well.</summary>
    public required Func<DeviceId, bool> HasCome { get; init; }

    /// <summary>This device itself has an address: who sees it there has no NAT before it.</summary>
    public required Func<IPEndPoint, bool> IsOwn { get; init; }

    /// <summary>A router passes on to this device, or a person says so in the settings.</summary>
    public required Func<bool> IsForwarded { get; init; }
}
