using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Membership;

/// <summary>One member as a device sees it. The incarnation is the UID of that device's actor system: a new one after every restart or rejoin.</summary>
public readonly record struct ViewMember(DeviceId Device, long Incarnation);

/// <summary>What one device believes its cluster to be. Told over links, not through the cluster: it is how split clusters find each other.</summary>
/// <param name="Self">The device itself with its present incarnation.</param>
/// <param name="Members">Members that are up or about to be; empty while the device has not joined anything yet.</param>
public sealed record ClusterView(ViewMember Self, IReadOnlySet<ViewMember> Members)
{
    public bool HasJoined => Members.Contains(Self);
}
