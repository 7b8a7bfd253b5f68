namespace AgentMesh.Protocol;

/// <summary>
/// The present, handed to the state machines by their shell. <paramref name="Monotonic"/> drives timers and never runs backwards; its origin is
/// arbitrary. <paramref name="Wall"/> is only compared with dates that other devices wrote (expiry of invitations, initiation stamps).
/// </summary>
public readonly record struct MeshInstant(TimeSpan Monotonic, DateTimeOffset Wall);
