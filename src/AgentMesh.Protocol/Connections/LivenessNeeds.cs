namespace AgentMesh.Protocol.Connections;

/// <summary>What decides when the other side is asked whether it is there.</summary>
/// <param name="HasStreams">Somebody relies on the connection: it is kept alive.</param>
/// <param name="HasBackup">The path in use is direct, and there is a relay beside it: a direct path that is lost while nobody uses it costs nothing.</param>
/// <param name="MappingIdle">No port of a NAT on the way may be left alone for longer; null where none was lost so.</param>
/// <param name="StallAfter">A flow that ends for so long is asked about.</param>
internal readonly record struct LivenessNeeds(bool HasStreams, bool HasBackup, TimeSpan? MappingIdle, TimeSpan StallAfter);
