namespace AgentMesh.Transport;

/// <summary>What an endpoint saw since it was opened.</summary>
/// <param name="ForUnknownConnections">Packets that belong to no connection: late ones, or noise.</param>
/// <param name="ForUnknownChannels">Relayed datagrams of no channel, or not from the beacon that opened it.</param>
/// <param name="NotAuthentic">Packets for a connection that were forged, damaged or repeated.</param>
/// <param name="ForgottenAnswered">Packets of sessions from before a restart whose senders were told so.</param>
public readonly record struct MeshEndpointCounters(
    long DatagramsReceived, long DatagramsSent, long Malformed, long Strangers, long RefusedHandshakes, long ForUnknownConnections, long NotAuthentic, long SendFailures,
    long ForUnknownChannels, long ForgottenAnswered);
