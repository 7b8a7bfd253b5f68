namespace AgentMesh.Protocol.Recovery;

/// <summary>What <see cref="Bbr"/> is at; the transitions are above it.</summary>
internal enum BbrState
{
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}
