using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>A key of this device has named another key the next one, and this device has not: the secret is in two hands, or this is an old copy of the data directory.</summary>
/// <param name="Of">The key of this device.</param>
/// <param name="Key">The one that it has named and that is not here.</param>
/// <param name="At">When that one took it up, by the clock of who has it.</param>
public sealed record OwnFork(DevicePublicKey Of, DevicePublicKey Key, DateTimeOffset At);
