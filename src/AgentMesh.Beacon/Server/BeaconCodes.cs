namespace AgentMesh.Beacon.Server;

/// <summary>The codes with which a beacon ends connections. Numbers are part of the wire format and are not used again.</summary>
internal static class BeaconCodes
{
    public const ulong Full = 20;

    /// <summary>Taken off the list of admitted devices.</summary>
    public const ulong NotAdmitted = 21;
}
