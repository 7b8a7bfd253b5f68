namespace AgentMesh.Beacon.Core;

/// <summary>What a beacon did since it started, and what there is now.</summary>
/// <param name="Limited">Datagrams dropped because a device had used up its allowance.</param>
/// <param name="WrongAddress">Datagrams on a channel from another address than that of its device.</param>
/// <param name="UnknownChannel">Datagrams on no channel.</param>
/// <param name="Refused">Devices sent away because there were too many.</param>
/// <param name="ChannelsRefused">Pairs that got no channel because there were too many.</param>
public sealed record BeaconCounters(
    int Devices, int Channels, long DatagramsRelayed, long BytesRelayed, long Limited, long WrongAddress, long UnknownChannel, long Notices, long Refused, long ChannelsRefused)
{
    /// <summary>Datagrams dropped because all devices together sent more than is relayed in all.</summary>
    public long Crowded { get; init; }

    /// <summary>Of pairing by codes.</summary>
    public CodeCounters Codes { get; init; } = new(0, 0, 0, 0);
}
