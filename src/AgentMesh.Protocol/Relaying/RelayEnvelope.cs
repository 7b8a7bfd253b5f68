using System.Buffers.Binary;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// What a datagram wears between a device and a beacon.
/// <code>
/// 0x84 relayed | 8 channel | the datagram
/// 0x85 notice  | 8 channel
/// </code>
/// </summary>
public static class RelayEnvelope
{
    public const int HeaderBytes = 1 + sizeof(ulong);
    public const int NoticeBytes = HeaderBytes;

    /// <returns>Bytes written; the destination holds at least <see cref="HeaderBytes"/> more than the datagram.</returns>
    public static int Write(Span<byte> destination, ulong channel, ReadOnlySpan<byte> datagram)
    {
        WriteHeader(destination, DatagramKind.Relayed, channel);
        datagram.CopyTo(destination[HeaderBytes..]);
        return HeaderBytes + datagram.Length;
    }

    /// <returns><see cref="NoticeBytes"/>.</returns>
    public static int WriteNotice(Span<byte> destination, ulong channel)
    {
        WriteHeader(destination, DatagramKind.RelayNotice, channel);
        return NoticeBytes;
    }

    /// <summary>Gives a relayed datagram another channel, in its place.</summary>
    public static void Readdress(Span<byte> envelope, ulong channel) => BinaryPrimitives.WriteUInt64BigEndian(envelope[1..], channel);

    /// <summary>False for anything that is no relayed datagram with something in it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> envelope, out ulong channel)
    {
        bool isRelayed = envelope.Length > HeaderBytes && envelope[0] == (byte)DatagramKind.Relayed;
        channel = isRelayed ? BinaryPrimitives.ReadUInt64BigEndian(envelope[1..]) : 0;
        return isRelayed;
    }

    public static bool TryReadNotice(ReadOnlySpan<byte> datagram, out ulong channel)
    {
        bool isNotice = datagram.Length == NoticeBytes && datagram[0] == (byte)DatagramKind.RelayNotice;
        channel = isNotice ? BinaryPrimitives.ReadUInt64BigEndian(datagram[1..]) : 0;
        return isNotice;
    }

    private static void WriteHeader(Span<byte> destination, DatagramKind kind, ulong channel)
    {
        destination[0] = (byte)kind;
        BinaryPrimitives.WriteUInt64BigEndian(destination[1..], channel);
    }
}
