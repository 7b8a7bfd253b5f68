using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>A device that another one has let in and that is not in here, because the other may not introduce here.</summary>
/// <param name="Key">Under which it was let in.</param>
/// <param name="Name">As the introducer calls it.</param>
/// <param name="By">The first in the order of <see cref="RegistryFold"/>, where several have let it in.</param>
/// <param name="At">When it was let in there, by that device's clock.</param>
public sealed record IntroducedDevice(DevicePublicKey Key, string Name, DeviceId By, DateTimeOffset At)
{
    /// <summary>Of its first key.</summary>
    public DeviceId Id { get; init; } = Key.Id;
}
