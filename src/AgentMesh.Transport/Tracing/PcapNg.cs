using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AgentMesh.Transport.Tracing;

/// <summary>
/// Blocks of a capture file (pcapng, draft-ietf-opsawg-pcapng) that Wireshark and tcpdump open. Datagrams get the IP and UDP headers that the operating system keeps to itself:
/// addresses and ports are real, the rest (time to live, identification) is made up.
/// </summary>
internal static class PcapNg
{
    public const int SnapBytesMax = 65_535;

    private const uint SectionHeader = 0x0a0d0d0a;
    private const uint InterfaceDescription = 1;
    private const uint EnhancedPacket = 6;
    private const uint InterfaceStatistics = 5;
    private const uint ByteOrder = 0x1a2b3c4d;
    private const ushort RawIp = 101;
    private const int UdpHeaderBytes = 8;
    private const int V4HeaderBytes = 20;
    private const int V6HeaderBytes = 40;
    private const byte Udp = 17;

    private enum Option : ushort
    {
        Comment = 1,
        Hardware = 2,
        OperatingSystem = 3,
        Application = 4,
        InterfaceName = 2,
        TimeResolution = 9,
        PacketFlags = 2,
        Received = 4,
        Dropped = 5,
    }

    /// <summary>What a file begins with.</summary>
    /// <param name="comment">For people who open it; may have lines.</param>
    /// <param name="snapBytes">No more of each packet is kept.</param>
    public static byte[] Head(string application, string comment, int snapBytes)
    {
        var section = new Block(SectionHeader);
        section.Write(ByteOrder);
        section.Write((ushort)1);
        section.Write((ushort)0);
        section.Write(ulong.MaxValue); // the length of the section is not known yet
        section.Text(Option.Comment, comment);
        section.Text(Option.Application, application);

        var card = new Block(InterfaceDescription);
        card.Write(RawIp);
        card.Write((ushort)0);
        card.Write((uint)snapBytes);
        card.Text(Option.InterfaceName, "agentmesh");
        card.Bytes(Option.TimeResolution, [9]); // nanoseconds
        return [.. section.End(), .. card.End()];
    }

    /// <param name="at">Since 1970.</param>
    public static byte[] Packet(ulong nanoseconds, IPEndPoint from, IPEndPoint to, bool isInbound, ReadOnlySpan<byte> datagram, int snapBytes, string comment)
    {
        Span<byte> headers = stackalloc byte[V6HeaderBytes + UdpHeaderBytes];
        headers = headers[..Headers(headers, from, to, datagram)];
        int whole = headers.Length + datagram.Length, kept = Math.Min(whole, snapBytes);
        var block = new Block(EnhancedPacket, kept + 128);
        block.Write(0u); // the one interface
        block.Write((uint)(nanoseconds >> 32));
        block.Write((uint)nanoseconds);
        block.Write((uint)kept);
        block.Write((uint)whole);
        int keptHeaders = Math.Min(headers.Length, kept);
        block.Raw(headers[..keptHeaders]);
        block.Raw(datagram[..(kept - keptHeaders)]);
        block.Pad();
        block.Number(Option.PacketFlags, isInbound ? 1u : 2u);
        block.Text(Option.Comment, comment);
        return block.End();
    }

    /// <summary>What a file ends with.</summary>
    /// <param name="dropped">Packets that are not in the file because its reader was too slow.</param>
    public static byte[] Tail(ulong nanoseconds, ulong packets, ulong dropped)
    {
        var block = new Block(InterfaceStatistics);
        block.Write(0u);
        block.Write((uint)(nanoseconds >> 32));
        block.Write((uint)nanoseconds);
        block.Long(Option.Received, packets + dropped);
        block.Long(Option.Dropped, dropped);
        return block.End();
    }

    private static int Headers(Span<byte> to, IPEndPoint source, IPEndPoint destination, ReadOnlySpan<byte> datagram)
    {
        bool isV4 = source.AddressFamily == AddressFamily.InterNetwork;
        int ip = isV4 ? V4HeaderBytes : V6HeaderBytes, udpBytes = UdpHeaderBytes + datagram.Length;
        to[..(ip + UdpHeaderBytes)].Clear();
        Span<byte> udp = to.Slice(ip, UdpHeaderBytes);
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)destination.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udpBytes);
        if (isV4)
        {
            to[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)(V4HeaderBytes + udpBytes));
            to[8] = 64;
            to[9] = Udp;
            source.Address.TryWriteBytes(to[12..], out _);
            destination.Address.TryWriteBytes(to[16..], out _);
            BinaryPrimitives.WriteUInt16BigEndian(to[10..], Fold(Sum(to[..V4HeaderBytes])));

            // A UDP checksum of 0 says that there is none; IPv6 does not know that.
            return V4HeaderBytes + UdpHeaderBytes;
        }

        to[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], (ushort)udpBytes);
        to[6] = Udp;
        to[7] = 64;
        source.Address.TryWriteBytes(to[8..], out _);
        destination.Address.TryWriteBytes(to[24..], out _);
        ushort checksum = Fold(Sum(to.Slice(8, 32)) + (ulong)udpBytes + Udp + Sum(udp) + Sum(datagram));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? ushort.MaxValue : checksum);
        return V6HeaderBytes + UdpHeaderBytes;
    }

    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        }

        return bytes.IsEmpty ? sum : sum + ((ulong)bytes[0] << 8);
    }

    private static ushort Fold(ulong sum)
    {
        while (sum > ushort.MaxValue)
        {
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    /// <summary>Type, length, content, options, length again; everything on a boundary of four bytes, little-endian as the section says.</summary>
    private sealed class Block
    {
        private readonly MemoryStream _bytes;

        public Block(uint type, int capacity = 256)
        {
            _bytes = new MemoryStream(capacity);
            Write(type);
            Write(0u);
        }

        public void Write(ushort value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(ushort)];
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        public void Write(uint value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            _bytes.Write(bytes);
        }

        public void Write(ulong value)
        {
            Write((uint)value);
            Write((uint)(value >> 32));
        }

        public void Raw(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

        public void Pad()
        {
            while (_bytes.Length % 4 != 0)
            {
                _bytes.WriteByte(0);
            }
        }

        public void Text(Option option, string text) => Bytes(option, Encoding.UTF8.GetBytes(text));

        public void Number(Option option, uint value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            Bytes(option, bytes);
        }

        public void Long(Option option, ulong value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            Bytes(option, bytes);
        }

        public void Bytes(Option option, ReadOnlySpan<byte> value)
        {
            value = value[..Math.Min(value.Length, ushort.MaxValue)];
            Write((ushort)option);
            Write((ushort)value.Length);
            Raw(value);
            Pad();
        }

        public byte[] End()
        {
            Write(0u); // the end of the options
            Write((uint)_bytes.Length + sizeof(uint));
            byte[] whole = _bytes.ToArray();
            BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(4), (uint)whole.Length);
            return whole;
        }
    }
}
