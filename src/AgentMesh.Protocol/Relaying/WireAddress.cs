using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// An address as beacons write it: docs/protocol/beacon-v1.md. An IPv4 address stands as ::ffff:a.b.c.d, and says that it is one.
/// <code>1 family, 4 or 6 | 16 address | 2 port, not 0</code>
/// </summary>
public static class WireAddress
{
    public const int Size = 1 + 16 + sizeof(ushort);

    public static byte[] ToBytes(IPEndPoint address)
    {
        byte[] bytes = new byte[Size];
        Write(bytes, address);
        return bytes;
    }

    public static void Write(Span<byte> destination, IPEndPoint address)
    {
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        destination[0] = isV4 ? (byte)4 : (byte)6;
        (isV4 ? address.Address.MapToIPv6() : address.Address).TryWriteBytes(destination[1..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(destination[17..], (ushort)address.Port);
    }

    /// <param name="bytes">At least <see cref="Size"/>; more is left alone.</param>
    /// <returns>Null for bytes that break the rules.</returns>
    public static IPEndPoint? TryRead(ReadOnlySpan<byte> bytes)
    {
        var address = new IPAddress(bytes.Slice(1, 16));
        int port = BinaryPrimitives.ReadUInt16BigEndian(bytes[17..]);
        return (bytes[0], address.IsIPv4MappedToIPv6) switch
        {
            _ when port == 0 => null,
            (4, true) => new IPEndPoint(address.MapToIPv4(), port),
            (6, false) => new IPEndPoint(address, port),
            _ => null,
        };
    }
}
