using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// How "an IPv4 address, by way of another socket than the usual one" looks to everything above the sockets: an address like any other, of 100:0:0:2::/64, which belongs to
/// nobody (0100::/8 is reserved). The last 8 bytes are 2 of zero, 2 socket, 4 IPv4 address; the port is the port.
/// </summary>
public static class SpareAddress
{
    private const ulong Prefix = 0x0100_0000_0000_0002;
    private const int SocketAddressBytes = 28;

    public static IPEndPoint Of(ushort socket, IPEndPoint remote)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Prefix);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], socket);
        remote.Address.TryWriteBytes(bytes[12..], out _);
        return new IPEndPoint(new IPAddress(bytes), remote.Port);
    }

    public static bool IsSpare(IPEndPoint address) => TryRead(address, out _, out _);

    public static bool TryRead(IPEndPoint address, out ushort socket, out IPEndPoint remote)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || !address.Address.TryWriteBytes(bytes, out _) || BinaryPrimitives.ReadUInt64BigEndian(bytes) != Prefix)
        {
            (socket, remote) = (0, address);
            return false;
        }

        socket = BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]);
        remote = new IPEndPoint(new IPAddress(bytes[12..]), address.Port);
        return true;
    }

    /// <summary>Without the socket: what others know the address by.</summary>
    public static IPEndPoint Plain(IPEndPoint address) => TryRead(address, out _, out IPEndPoint remote) ? remote : address;

    /// <summary>The socket, where the address is one by way of another socket.</summary>
    public static bool TryReadSocket(SocketAddress address, out ushort socket)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        bool isSpare = address.Family == AddressFamily.InterNetworkV6 && bytes.Length >= SocketAddressBytes && BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]) == Prefix;
        socket = isSpare ? BinaryPrimitives.ReadUInt16BigEndian(bytes[18..]) : (ushort)0;
        return isSpare;
    }

    /// <summary>The socket, and the address as the system wants it, where the address is one by way of another socket.</summary>
    public static bool TryRead(SocketAddress address, out ushort socket, out SocketAddress remote)
    {
        bool isSpare = TryReadSocket(address, out socket);
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        remote = isSpare ? new IPEndPoint(new IPAddress(bytes[20..24]), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])).Serialize() : address;
        return isSpare;
    }
}
