using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// How a relay channel looks to everything above the sockets: an address like any other. It is of 100::/64, which no network carries (RFC 6666), so that it cannot be
/// taken for one that a datagram came from; the channel is its last 8 bytes.
/// </summary>
public static class RelayAddress
{
    private const ulong Prefix = 0x0100_0000_0000_0000;
    private const int Port = 1;

    // sockaddr_in6: family and port, flow label, then the address.
    private const int AddressAt = 8;
    private const int SocketAddressBytes = 28;

    public static IPEndPoint Of(ulong channel)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Prefix);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], channel);
        return new IPEndPoint(new IPAddress(bytes), Port);
    }

    public static bool IsRelay(IPEndPoint address) => IsRelay(address.Address);

    public static bool IsRelay(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.TryWriteBytes(bytes, out _) && BinaryPrimitives.ReadUInt64BigEndian(bytes) == Prefix;
    }

    /// <summary>The channel, where the address is one of a channel.</summary>
    public static bool TryRead(SocketAddress address, out ulong channel)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span;
        bool isRelay = address.Family == AddressFamily.InterNetworkV6 && bytes.Length >= SocketAddressBytes && BinaryPrimitives.ReadUInt64BigEndian(bytes[AddressAt..]) == Prefix;
        channel = isRelay ? BinaryPrimitives.ReadUInt64BigEndian(bytes[(AddressAt + 8)..]) : 0;
        return isRelay;
    }
}
