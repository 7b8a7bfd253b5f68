using System.Net;

namespace AgentMesh.Beacon.Client;

/// <summary>The observer of a beacon, and what it wants to see.</summary>
public sealed record ObserverPlace(IPEndPoint Address, UInt128 Ticket);
