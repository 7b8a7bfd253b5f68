namespace AgentMesh.Node.Reach;

/// <summary>Whether this device relays for others of its mesh.</summary>
public enum RelayOffer
{
    /// <summary>For devices that can reach it by themselves, directly: <see cref="ReachEvidence"/>.</summary>
    Auto = 0,

    /// <summary>For every device that it has a direct path to.</summary>
    On,

    Off,
}

/// <param name="BytesPerSecond">For each device.</param>
public sealed record RelaySettings(RelayOffer Offer, long BytesPerSecond);
