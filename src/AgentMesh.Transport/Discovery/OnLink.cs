using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace AgentMesh.Transport.Discovery;

/// <summary>What is on the link of an interface: RFC 6762, 11 wants everything else ignored.</summary>
internal sealed class OnLink
{
    private readonly (byte[] Address, int PrefixLength)[] _networks;
    private readonly HashSet<IPAddress> _own;

    private OnLink((byte[] Address, int PrefixLength)[] networks, HashSet<IPAddress> own)
    {
        _networks = networks;
        _own = own;
    }

    /// <summary>Of the interface that has this address.</summary>
    public static OnLink Of(IPAddress address)
    {
        try
        {
            NetworkInterface[] all = NetworkInterface.GetAllNetworkInterfaces();
            NetworkInterface? at = Array.Find(all, each => each.GetIPProperties().UnicastAddresses.Any(unicast => unicast.Address.Equals(address)));
            return new OnLink(
                [.. at?.GetIPProperties().UnicastAddresses.Select(unicast => (unicast.Address.GetAddressBytes(), unicast.PrefixLength)) ?? []],
                [.. all.SelectMany(each => each.GetIPProperties().UnicastAddresses).Select(unicast => Plain(unicast.Address))]);
        }
        catch (NetworkInformationException)
        {
            return new OnLink([], []);
        }
    }

    public bool Has(IPAddress source)
    {
        if (source.IsIPv6LinkLocal)
        {
            return true;
        }

        byte[] bytes = source.GetAddressBytes();
        return Array.Exists(_networks, network => IsIn(bytes, network.Address, network.PrefixLength));
    }

    /// <summary>An address of this machine.</summary>
    public bool IsOwn(IPAddress source) => _own.Contains(Plain(source));

    private static IPAddress Plain(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()) : address;

    private static bool IsIn(byte[] address, byte[] network, int prefixLength)
    {
        if (address.Length != network.Length)
        {
            return false;
        }

        int whole = prefixLength / 8, rest = prefixLength % 8;
        return address.AsSpan(0, whole).SequenceEqual(network.AsSpan(0, whole)) && (rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0);
    }
}
