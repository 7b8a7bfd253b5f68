using System.Net;

namespace AgentMesh.Transport.Turn;

/// <summary>An address at which a TURN server passes on to a device.</summary>
/// <param name="Host">The server, for people.</param>
public sealed record RelayedPlace(IPEndPoint Address, string Host);
