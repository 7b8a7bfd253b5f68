using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Gateways;

/// <summary>
/// Messages of PCP (RFC 6887), as this device needs them: ANNOUNCE and MAP of UDP ports. IPv4 addresses are written as ::ffff:a.b.c.d.
/// <code>
/// request    2 version | opcode | 2 reserved | 4 lifetime | 16 address of the client
/// response   2 version | 0x80 + opcode | reserved | result | 4 lifetime | 4 epoch | 12 reserved
/// MAP adds   12 nonce | 17 (UDP) | 3 reserved | 2 internal port | 2 external port | 16 external address
/// </code>
/// </summary>
public static class Pcp
{
    public const int ServerPort = 5351;
    public const int NonceBytes = 12;
    public const int AnnounceBytes = HeaderBytes;
    public const int MapBytes = HeaderBytes + MapOpcodeBytes;
    public const int AddressMismatch = 12;

    /// <summary>Section 7: a message is at most this long, and a multiple of four.</summary>
    public const int DatagramBytesMax = 1100;

    private const byte Version = 2;
    private const byte AnnounceOpcode = 0;
    private const byte MapOpcode = 1;
    private const byte Response = 0x80;
    private const byte Udp = 17;
    private const int HeaderBytes = 24;
    private const int MapOpcodeBytes = 36;

    public static byte[] AnnounceRequest(IPAddress client) => Request(AnnounceOpcode, AnnounceBytes, 0, client);

    /// <param name="nonce">The same 12 bytes for as long as the mapping is wanted: nobody else can then change or delete it.</param>
    /// <param name="lifetime">Seconds; 0 deletes.</param>
    /// <param name="suggested">Null where any will do.</param>
    public static byte[] MapRequest(IPAddress client, ReadOnlySpan<byte> nonce, ushort internalPort, IPEndPoint? suggested, uint lifetime)
    {
        byte[] request = Request(MapOpcode, MapBytes, lifetime, client);
        Span<byte> map = request.AsSpan(HeaderBytes);
        nonce[..NonceBytes].CopyTo(map);
        map[12] = Udp;
        BinaryPrimitives.WriteUInt16BigEndian(map[16..], internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(map[18..], (ushort)(suggested?.Port ?? 0));
        WriteAddress(map[20..], suggested?.Address ?? IPAddress.Any);
        return request;
    }

    /// <summary>An answer to <see cref="AnnounceRequest"/>, or an announcement.</summary>
    public static bool TryReadAnnounce(ReadOnlySpan<byte> datagram, out PcpHeader header) => TryReadHeader(datagram, AnnounceOpcode, out header);

    public static bool TryReadMapping(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> nonce, out PcpMapping mapping)
    {
        mapping = default;
        if (!TryReadHeader(datagram, MapOpcode, out PcpHeader header) || datagram.Length < MapBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> map = datagram[HeaderBytes..];
        if (!map[..NonceBytes].SequenceEqual(nonce) || map[12] != Udp)
        {
            return false;
        }

        var external = new IPAddress(map.Slice(20, 16));
        mapping = new PcpMapping(
            header,
            BinaryPrimitives.ReadUInt16BigEndian(map[16..]),
            new IPEndPoint(external.IsIPv4MappedToIPv6 ? external.MapToIPv4() : external, BinaryPrimitives.ReadUInt16BigEndian(map[18..])));
        return true;
    }

    /// <summary>The answer of a gateway that speaks NAT-PMP only: a PCP client's version is not supported (RFC 6887, section 9).</summary>
    public static bool IsUnsupportedVersion(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= 4 && datagram[1] >= Response && ((datagram[0] == 0 && BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) == 1) || (datagram[0] is > 0 and not Version && datagram[3] == 1));

    public static string ResultText(int result) => result switch
    {
        0 => "success",
        1 => "it does not speak this version",
        2 => "it is not allowed to map ports",
        3 => "it calls the request malformed",
        4 => "it does not know the request",
        5 => "it does not know an option",
        6 => "it calls an option malformed",
        7 => "its network fails",
        8 => "it has no resources left",
        9 => "it does not map UDP ports",
        10 => "this device has as many ports mapped as it may",
        11 => "it cannot give the external address",
        AddressMismatch => "there is a NAT between it and this device",
        13 => "too many remote peers",
        _ => $"result code {result}",
    };

    private static byte[] Request(byte opcode, int length, uint lifetime, IPAddress client)
    {
        byte[] request = new byte[length];
        request[0] = Version;
        request[1] = opcode;
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(4), lifetime);
        WriteAddress(request.AsSpan(8), client);
        return request;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> datagram, byte opcode, out PcpHeader header)
    {
        header = default;
        if (datagram.Length is < HeaderBytes or > DatagramBytesMax || datagram.Length % 4 != 0 || datagram[0] != Version || datagram[1] != (Response | opcode))
        {
            return false;
        }

        header = new PcpHeader(datagram[3], BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]), BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]));
        return true;
    }

    private static void WriteAddress(Span<byte> destination, IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address).TryWriteBytes(destination, out _);
}

/// <param name="Lifetime">Seconds: of the mapping, or until a refused request may be repeated.</param>
/// <param name="Epoch">Seconds since the gateway has its table of mappings.</param>
public readonly record struct PcpHeader(int Result, uint Lifetime, uint Epoch);

public readonly record struct PcpMapping(PcpHeader Header, ushort InternalPort, IPEndPoint External);
