using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>Addresses that stand for something else: 8 bytes that say what kind, and 8 that say which.</summary>
internal static class StandInAddress
{
    private const int Port = 1;

    // sockaddr_in6: family and port, flow label, then the address.
    private const int AddressAt = 8;
    private const int SocketAddressBytes = 28;

    public static IPEndPoint Of(ulong prefix, ulong number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, prefix);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], number);
        return new IPEndPoint(new IPAddress(bytes), Port);
    }

    /// <summary>The first half of an IPv6 address.</summary>
    public static ulong PrefixOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        return address.TryWriteBytes(bytes, out _) ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;
    }

    public static bool TryRead(SocketAddress address, ulong prefix, out ulong number)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        bool isOne = address.Family == AddressFamily.InterNetworkV6 && bytes.Length >= SocketAddressBytes && BinaryPrimitives.ReadUInt64BigEndian(bytes[AddressAt..]) == prefix;
        number = isOne ? BinaryPrimitives.ReadUInt64BigEndian(bytes[(AddressAt + 8)..]) : 0;
        return isOne;
    }
}
