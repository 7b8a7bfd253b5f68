namespace AgentMesh.Node.Control;

/// <summary>One of at most eight ways to a connected device; the first of a list is the one in use.</summary>
/// <param name="Role">in-use; in-doubt: in use, and not sure to work; backup: it has answered and can take over; untried: nothing has answered there yet; failed: it was left because it fell silent.</param>
/// <param name="Kind">direct, relay (a beacon), relay/wss (a beacon over a WebSocket), relay/peer (a device of the mesh) or relay/turn (a TURN server).</param>
/// <param name="Address">Where packets are sent; null of a relayed path.</param>
/// <param name="Via">The name of what relays; null of a direct path.</param>
/// <param name="RoundTripMs">Of packets on the path in use, of questions on the others.</param>
/// <param name="LossRatio">0..1 of the last 1,024 to 2,048 packets; null where it is not in use, or too few took it.</param>
/// <param name="DatagramBytes">The greatest UDP payload that it is known to carry; null where packets have not taken it.</param>
/// <param name="InUseMs">For how long packets take it; null where they do not.</param>
/// <param name="AnsweredMs">How long ago it was last known to work; null where it never was. Paths of a connection that does nothing are not asked.</param>
/// <param name="Failures">How often it fell silent while it was in use.</param>
/// <param name="Ecn">on: queues on the way may mark packets of this device instead of dropping them; testing; off: this path, the other device, this system or the setting does not have it. Null where it is not in use.</param>
/// <param name="MarkedSent">Packets of this device that were marked since the connection began, and</param>
/// <param name="MarkedReceived">packets of the other one that arrived marked; null where it is not in use.</param>
public sealed record PathView(
    string Role, string Kind, string? Address, string? Via, double? RoundTripMs, double? LossRatio, int? DatagramBytes, double? InUseMs, double? AnsweredMs, int Failures,
    string? Ecn = null, ulong? MarkedSent = null, ulong? MarkedReceived = null)
{
    /// <summary>After so much silence the other device is asked whether it is there; null where it is not in use, or nothing is asked.</summary>
    public double? KeepAliveMs { get; init; }

    /// <summary>The NAT before this device took a port back after so much silence, the shortest that was seen on this connection; null where none was, or it is not in use.</summary>
    public double? PortSilenceMs { get; init; }

    /// <summary>The NAT before this device takes ports back at this age; null where that was not seen twice on this connection, or it is not in use.</summary>
    public double? PortAgeMs { get; init; }
}

/// <summary>The connections of a device summed up: by what is in use, and what stands beside it.</summary>
/// <param name="Relayed">By beacons, TURN servers and devices.</param>
/// <param name="InDoubt">Of direct and relayed, those that are not sure to work.</param>
/// <param name="Backups">Further paths that have answered.</param>
/// <param name="Untried">Further paths where nothing has answered yet.</param>
/// <param name="Failed">Further paths that were left because they fell silent.</param>
public sealed record PathSumView(int Direct, int Relayed, int InDoubt, int Backups, int Untried, int Failed);

/// <summary>A question to a path beside the one in use.</summary>
/// <param name="Sequence">Of the probe that it belongs to.</param>
/// <param name="Role">As in <see cref="PathView"/>.</param>
/// <param name="RoundTripMs">Null when it was not answered; then <paramref name="Problem"/> says why.</param>
/// <param name="Path">The kind, with what relays.</param>
public sealed record PathProbeView(int Sequence, string Role, string Address, string Path, double? RoundTripMs, string? Problem);

/// <summary>Who connects with whom, and how much this device sends and receives.</summary>
/// <param name="Incoming">all, known or none: whose connections this device takes.</param>
/// <param name="AutoConnect">It dials the devices of the mesh by itself.</param>
/// <param name="Exceptions">Names of devices for which the opposite holds.</param>
/// <param name="BytesPerSecondUp">What this device sends; 0 is no limit.</param>
/// <param name="BytesPerSecondDown">What it receives; 0 is no limit.</param>
public sealed record ConnectionsView(string Incoming, bool AutoConnect, IReadOnlyList<string> Exceptions, long BytesPerSecondUp, long BytesPerSecondDown);
