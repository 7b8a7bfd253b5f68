namespace AgentMesh.Node.Reach;

/// <summary>How an address of this device came to be known. The order is that in which they are told to others: what is most likely to work first.</summary>
internal enum CandidateKind
{
    /// <summary>A person wrote it into the settings.</summary>
    Configured,

    /// <summary>A router was asked for it and forwards it: PCP, NAT-PMP, UPnP.</summary>
    Mapped,

    /// <summary>A beacon or another server sees the endpoint's socket there.</summary>
    Observed,

    /// <summary>A server passes on what comes there (TURN).</summary>
    Relayed,

    /// <summary>An interface has it.</summary>
    Interface,
}
