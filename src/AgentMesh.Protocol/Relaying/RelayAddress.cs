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

    public static IPEndPoint Of(ulong channel) => StandInAddress.Of(Prefix, channel);

    /// <summary>It stands for a channel or for a tunnel (<see cref="TunnelAddress"/>): what is sent there does not go directly.</summary>
    public static bool IsRelay(IPEndPoint address) => IsRelay(address.Address);

    /// <inheritdoc cref="IsRelay(IPEndPoint)"/>
    public static bool IsRelay(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && StandInAddress.PrefixOf(address) is Prefix or TunnelAddress.Prefix;

    public static bool IsChannel(IPEndPoint address) => address.AddressFamily == AddressFamily.InterNetworkV6 && StandInAddress.PrefixOf(address.Address) == Prefix;

    /// <summary>The channel, where the address is one of a channel.</summary>
    public static bool TryRead(SocketAddress address, out ulong channel) => StandInAddress.TryRead(address, Prefix, out channel);
}
