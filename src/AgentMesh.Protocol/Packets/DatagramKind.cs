namespace AgentMesh.Protocol.Packets;

/// <summary>What a datagram claims to be, from its first byte. The one place where these numbers are given out.</summary>
public enum DatagramKind : byte
{
    /// <summary>Not of this protocol. First bytes below 0x40 stay free for STUN (RFC 7983 demultiplexing).</summary>
    Unknown = 0,

    /// <summary>A protected packet of a session: 0x40 to 0x7f.</summary>
    Packet = 0x40,

    Initiation = 0x81,
    Response = 0x82,
    CookieReply = 0x83,

    /// <summary>A datagram on its way through a beacon: docs/protocol/beacon-v1.md.</summary>
    Relayed = 0x84,

    /// <summary>A beacon says that it does not know a channel.</summary>
    RelayNotice = 0x85,

    /// <summary>"From where did this come?", to an observer of a beacon.</summary>
    ObserverQuestion = 0x86,
    ObserverAnswer = 0x87,

    /// <summary>Makes a NAT open a port; means nothing to who gets it.</summary>
    Opening = 0x88,

    /// <summary>"I do not know this session any more."</summary>
    Reset = 0x89,

    /// <summary>Pairing by code (pairing-v1.md).</summary>
    Pairing = 0x90,
}

public static class Datagrams
{
    public static DatagramKind KindOf(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty)
        {
            return DatagramKind.Unknown;
        }

        return datagram[0] switch
        {
            >= 0x40 and <= 0x7f => DatagramKind.Packet,
            (byte)DatagramKind.Initiation => DatagramKind.Initiation,
            (byte)DatagramKind.Response => DatagramKind.Response,
            (byte)DatagramKind.CookieReply => DatagramKind.CookieReply,
            (byte)DatagramKind.Relayed => DatagramKind.Relayed,
            (byte)DatagramKind.RelayNotice => DatagramKind.RelayNotice,
            (byte)DatagramKind.ObserverQuestion => DatagramKind.ObserverQuestion,
            (byte)DatagramKind.ObserverAnswer => DatagramKind.ObserverAnswer,
            (byte)DatagramKind.Opening => DatagramKind.Opening,
            (byte)DatagramKind.Reset => DatagramKind.Reset,
            (byte)DatagramKind.Pairing => DatagramKind.Pairing,
            _ => DatagramKind.Unknown,
        };
    }
}
