namespace AgentMesh.Protocol.Connections;

/// <summary>Why a connection ended; see <see cref="CloseCodes"/>.</summary>
internal readonly record struct ConnectionEnding(bool ByRemote, ulong Code, string Reason);
