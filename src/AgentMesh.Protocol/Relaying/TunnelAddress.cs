using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// How a tunnel for datagrams, such as a WebSocket, looks to everything above the sockets. It is of 100:0:0:1::/64, which no network carries (RFC 9780); the number of the
/// tunnel within this process is its last 8 bytes.
/// </summary>
public static class TunnelAddress
{
    internal const ulong Prefix = 0x0100_0000_0000_0001;

    public static IPEndPoint Of(ulong tunnel) => StandInAddress.Of(Prefix, tunnel);

    public static bool IsTunnel(IPEndPoint address) => IsTunnel(address.Address);

    public static bool IsTunnel(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 && StandInAddress.PrefixOf(address) == Prefix;

    /// <summary>The number, where the address is one of a tunnel.</summary>
    public static bool TryRead(SocketAddress address, out ulong tunnel) => StandInAddress.TryRead(address, Prefix, out tunnel);
}
