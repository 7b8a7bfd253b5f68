using System.Net;
using AgentMesh.Protocol.Stun.Turn;

namespace AgentMesh.Transport.Turn;

/// <param name="Relayed">The address at the server; null while there is none.</param>
/// <param name="Mapped">Where the server sees this device's socket.</param>
/// <param name="Failure">Why there is none; null while there is, or while it is asked for the first time.</param>
public sealed record TurnState(IPEndPoint? Relayed, IPEndPoint? Mapped, TurnFailure? Failure);

/// <summary>There is no user or password to be had; the message says why.</summary>
public sealed class TurnCredentialsException(string message) : Exception(message);
