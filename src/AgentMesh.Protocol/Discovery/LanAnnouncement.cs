using System.Buffers.Binary;
using System.Net;

namespace AgentMesh.Protocol.Discovery;

/// <summary>"A device is here, at this port", as it is multicast on a link (lan-v1.md). 112 bytes:</summary>
/// <remarks>
/// <code>
///  0  3  "aml"
///  3  1  version, 1
///  4  1  flags: 0x01 an answer is wanted
///  5  1  0
///  6  2  UDP port
///  8  8  stamp: 100 ns since 1970
/// 16 16  tag
/// 32 64  signature over label, source address and bytes 0-31
/// 96 16  MAC over source address and bytes 0-95
/// </code>
/// </remarks>
internal readonly record struct LanAnnouncement(bool WantsAnswer, ushort Port, ulong Stamp, UInt128 Tag)
{
    public const int Size = MacOffset + MacBytes;
    public const int MacBytes = 16;
    public const int TagBytes = 16;
    public const int HeadBytes = 32;
    public const int SignatureBytes = 64;
    public const int MacOffset = HeadBytes + SignatureBytes;
    public const int AddressBytes = 16;

    /// <summary>Tags change this often.</summary>
    public static readonly TimeSpan EpochLength = TimeSpan.FromMinutes(15);

    private const byte WantsAnswerFlag = 0x01;

    public ulong Epoch => EpochOf(Stamp);

    private static ReadOnlySpan<byte> Start => "aml\x01"u8;

    public static ulong EpochOf(ulong stamp) => stamp / (ulong)EpochLength.Ticks;

    /// <summary>100 ns since 1970; 0 where the clock stands before that.</summary>
    public static ulong StampOf(DateTimeOffset wall) => (ulong)Math.Max(0, wall.UtcTicks - DateTime.UnixEpoch.Ticks);

    /// <summary>False for anything that is no announcement of this version. Says nothing about who made it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out LanAnnouncement announcement)
    {
        announcement = default;
        if (datagram.Length != Size || !datagram.StartsWith(Start))
        {
            return false;
        }

        ushort port = BinaryPrimitives.ReadUInt16BigEndian(datagram[6..]);
        announcement = new LanAnnouncement(
            (datagram[4] & WantsAnswerFlag) != 0, port, BinaryPrimitives.ReadUInt64BigEndian(datagram[8..]), BinaryPrimitives.ReadUInt128BigEndian(datagram[16..]));
        return port != 0;
    }

    /// <summary>Bytes 0-31.</summary>
    public void WriteHead(Span<byte> datagram)
    {
        Start.CopyTo(datagram);
        datagram[4] = WantsAnswer ? WantsAnswerFlag : (byte)0;
        datagram[5] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(datagram[6..], Port);
        BinaryPrimitives.WriteUInt64BigEndian(datagram[8..], Stamp);
        BinaryPrimitives.WriteUInt128BigEndian(datagram[16..], Tag);
    }

    /// <summary>What is signed: label ‖ source ‖ head.</summary>
    public static byte[] Signed(IPAddress source, ReadOnlySpan<byte> head)
    {
        ReadOnlySpan<byte> label = "agentmesh lan announcement 1"u8;
        byte[] signed = new byte[label.Length + AddressBytes + HeadBytes];
        label.CopyTo(signed);
        WriteAddress(source, signed.AsSpan(label.Length));
        head[..HeadBytes].CopyTo(signed.AsSpan(label.Length + AddressBytes));
        return signed;
    }

    /// <summary>What the MAC covers: source ‖ bytes 0-95.</summary>
    public static void WriteAuthenticated(IPAddress source, ReadOnlySpan<byte> datagram, Span<byte> authenticated)
    {
        WriteAddress(source, authenticated);
        datagram[..MacOffset].CopyTo(authenticated[AddressBytes..]);
    }

    // A scope belongs to the machine that uses it, so it is left out.
    private static void WriteAddress(IPAddress source, Span<byte> bytes) => source.MapToIPv6().TryWriteBytes(bytes, out _);
}
