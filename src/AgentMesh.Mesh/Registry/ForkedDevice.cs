using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>A device that would be in, but that two keys claim to speak for: neither counts, here and wherever both are heard of.</summary>
/// <param name="Key">The last one that is beyond doubt.</param>
/// <param name="Name">As in <see cref="RegisteredDevice"/>.</param>
/// <param name="Claims">The keys that claim to come after it, and when by their own clocks.</param>
public sealed record ForkedDevice(DevicePublicKey Key, string Name, IReadOnlyList<(DevicePublicKey Key, DateTimeOffset At)> Claims)
{
    /// <summary>Of its first key.</summary>
    public DeviceId Id { get; init; } = Key.Id;
}
