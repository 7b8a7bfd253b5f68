using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Node.Webhooks;

/// <summary>Who may stand behind an address, for the question whether something is sent to it unasked.</summary>
internal enum AddressScope
{
    /// <summary>The Internet.</summary>
    Public,

    /// <summary>This device or a network of its owner: loopback, RFC 1918, RFC 6598, RFC 4193.</summary>
    Private,

    /// <summary>The link, and the services of hosters that tell credentials to whoever asks from the machine itself.</summary>
    Link,

    /// <summary>No single receiver: unspecified, multicast, broadcast, reserved.</summary>
    Nobody,
}

internal static class AddressScopes
{
    /// <summary>The first match counts.</summary>
    private static readonly (IPNetwork Network, AddressScope Scope)[] V4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), AddressScope.Nobody),
        (IPNetwork.Parse("10.0.0.0/8"), AddressScope.Private),

        // Metadata of one hoster stands in the shared space of RFC 6598, the platform service of another at a public address.
        (IPNetwork.Parse("100.100.100.200/32"), AddressScope.Link),
        (IPNetwork.Parse("168.63.129.16/32"), AddressScope.Link),
        (IPNetwork.Parse("100.64.0.0/10"), AddressScope.Private),
        (IPNetwork.Parse("127.0.0.0/8"), AddressScope.Private),
        (IPNetwork.Parse("169.254.0.0/16"), AddressScope.Link),
        (IPNetwork.Parse("172.16.0.0/12"), AddressScope.Private),
        (IPNetwork.Parse("192.0.0.0/24"), AddressScope.Nobody),
        (IPNetwork.Parse("192.168.0.0/16"), AddressScope.Private),
        (IPNetwork.Parse("198.18.0.0/15"), AddressScope.Private),
        (IPNetwork.Parse("224.0.0.0/3"), AddressScope.Nobody),
    ];

    private static readonly (IPNetwork Network, AddressScope Scope)[] V6 =
    [
        (IPNetwork.Parse("::1/128"), AddressScope.Private),
        (IPNetwork.Parse("fd00:ec2::254/128"), AddressScope.Link),
        (IPNetwork.Parse("fd20:ce::254/128"), AddressScope.Link),
        (IPNetwork.Parse("fc00::/7"), AddressScope.Private),
        (IPNetwork.Parse("fec0::/10"), AddressScope.Private),
        (IPNetwork.Parse("fe80::/10"), AddressScope.Link),
        (IPNetwork.Parse("2001::/32"), AddressScope.Nobody),
        (IPNetwork.Parse("2000::/3"), AddressScope.Public),
        (IPNetwork.Parse("::/0"), AddressScope.Nobody),
    ];

    /// <summary>Of the IPv4 address where one is written as IPv6: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).</summary>
    public static AddressScope Of(IPAddress address)
    {
        IPAddress at = Plain(address);

        // What is in none of them is public, the first of the scopes.
        return Array.Find(at.AddressFamily == AddressFamily.InterNetwork ? V4 : V6, each => each.Network.Contains(at)).Scope;
    }

    public static IPAddress Plain(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
            : BinaryPrimitives.ReadUInt64BigEndian(bytes) == 0x0064_FF9B_0000_0000 && BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) == 0 ? new IPAddress(bytes[12..])
            : bytes is [0x20, 0x02, ..] ? new IPAddress(bytes[2..6])
            : address.ScopeId == 0 ? address : new IPAddress(bytes);
    }
}
