using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// A datagram to or from a peer that has a channel (RFC 8656, section 12.4). Over UDP it is not padded, and what is behind the length is no part of it.
/// <code>
/// 2 channel, 0x4000 to 0x4fff | 2 length | data
/// </code>
/// </summary>
internal static class TurnChannelData
{
    public const int HeaderBytes = 4;
    public const ushort First = 0x4000;
    public const ushort Last = 0x4FFF;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out ushort channel, out ReadOnlySpan<byte> data)
    {
        channel = 0;
        data = default;
        if (datagram.Length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(datagram) is not (>= First and <= Last) || BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) is var length && length > datagram.Length - HeaderBytes)
        {
            return false;
        }

        channel = BinaryPrimitives.ReadUInt16BigEndian(datagram);
        data = datagram.Slice(HeaderBytes, length);
        return true;
    }

    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> destination, ushort channel, ReadOnlySpan<byte> data)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, channel);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)data.Length);
        data.CopyTo(destination[HeaderBytes..]);
        return HeaderBytes + data.Length;
    }
}
