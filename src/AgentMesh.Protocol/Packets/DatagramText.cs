using System.Globalization;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Packets;

/// <summary>One line for people about a datagram, from what is not encrypted.</summary>
public static class DatagramText
{
    public static string Of(ReadOnlySpan<byte> datagram) => Datagrams.KindOf(datagram) switch
    {
        DatagramKind.Packet when PacketLayout.TryReadDestination(datagram, out ConnectionId to) => $"packet to connection {to}",
        DatagramKind.Initiation => "handshake initiation",
        DatagramKind.Response => "handshake response",
        DatagramKind.CookieReply => "cookie reply: the address has to be proven",
        DatagramKind.Relayed when RelayEnvelope.TryRead(datagram, out ulong channel) => Relayed(channel, Of(datagram[RelayEnvelope.HeaderBytes..])),
        DatagramKind.RelayNotice when RelayEnvelope.TryReadNotice(datagram, out ulong unknown) => Relayed(unknown, "unknown to the beacon"),
        DatagramKind.Pairing => "pairing by code",
        _ => "not of this protocol",
    };

    private static string Relayed(ulong channel, string what) => string.Create(CultureInfo.InvariantCulture, $"channel {channel:x16}: {what}");
}
