using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Byte 0: 01000000 + key epoch modulo 4 (low five bits masked); bytes 1-8: destination connection id; bytes 9-12: low 32 bits of the packet number
/// (masked); then the sealed payload; last 16 bytes: tag.
/// </summary>
public static class PacketLayout
{
    public const int ConnectionIdOffset = 1;
    public const int PacketNumberOffset = ConnectionIdOffset + ConnectionId.Size;
    public const int PacketNumberBytes = 4;

    /// <summary>13.</summary>
    public const int HeaderBytes = PacketNumberOffset + PacketNumberBytes;

    public const int TagBytes = Aead.TagBytes;

    /// <summary>What protection adds to a payload: 29 bytes.</summary>
    public const int Overhead = HeaderBytes + TagBytes;

    /// <summary>Shortest packet: an empty payload. The mask's sample (16 bytes after the packet number) is then the tag.</summary>
    public const int MinPacketBytes = Overhead;

    internal const byte FirstByte = 0x40;
    internal const byte FirstByteMask = 0x1f;
    internal const byte EpochMask = 0x03;

    /// <summary>The destination of a <see cref="DatagramKind.Packet"/>. False when it is too short to be one.</summary>
    public static bool TryReadDestination(ReadOnlySpan<byte> datagram, out ConnectionId destination)
    {
        if (datagram.Length < MinPacketBytes)
        {
            destination = default;
            return false;
        }

        destination = ConnectionId.Read(datagram[ConnectionIdOffset..]);
        return true;
    }
}
