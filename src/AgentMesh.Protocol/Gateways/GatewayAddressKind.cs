using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Gateways;

/// <summary>Who can reach an address that a gateway calls external.</summary>
public enum GatewayAddressKind
{
    /// <summary>Everybody on the internet, as far as the address tells.</summary>
    Public,

    /// <summary>Of RFC 1918, link-local or loopback: there is another NAT behind the gateway.</summary>
    Private,

    /// <summary>100.64.0.0/10 (RFC 6598): the provider has a NAT for many customers.</summary>
    Shared,
}

public static class GatewayAddresses
{
    public static GatewayAddressKind KindOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            return address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || IPAddress.IsLoopback(address) ? GatewayAddressKind.Private : GatewayAddressKind.Public;
        }

        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return (bytes[0], bytes[1]) switch
        {
            (100, >= 64 and <= 127) => GatewayAddressKind.Shared,
            (10 or 127 or 0, _) or (172, >= 16 and <= 31) or (192, 168) or (169, 254) => GatewayAddressKind.Private,
            _ => GatewayAddressKind.Public,
        };
    }

    /// <summary>An address that a device can have: none of nobody, of everybody or of a group.</summary>
    public static bool IsUsable(IPAddress address) =>
        !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) && !address.Equals(IPAddress.Broadcast) && !IPAddress.IsLoopback(address) && !address.IsIPv6Multicast
        && !(address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >= 224);
}
