using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Links;

/// <summary>Where this device can be told to be: its bound addresses, wildcards replaced by those of the interfaces, and the announced one first.</summary>
internal static class LocalAddresses
{
    public const int Most = 32;

    // Of a host for thousands of containers.
    private const int SeenMax = 4_096;

    /// <summary>Those that others are told come first, <see cref="Most"/> of them.</summary>
    public static IReadOnlyList<IPEndPoint> All(IReadOnlyList<IPEndPoint> bound, HostPort? announce)
    {
        var found = new List<IPEndPoint>();
        if (announce is { } given)
        {
            found.AddRange(Resolve(given));
        }

        // Across the families: dozens of bridges with IPv4 addresses do not push out the one IPv6 address that the world can reach.
        found.AddRange(bound.Where(endpoint => !IsWildcard(endpoint)));
        IPEndPoint[] wildcards = [.. bound.Where(IsWildcard)];
        if (wildcards.Length > 0)
        {
            found.AddRange(InterfaceOrder.Sort(Interfaces(wildcards)));
        }

        return [.. found.Distinct().Take(SeenMax)];
    }

    public static IReadOnlyList<IPEndPoint> Resolve(HostPort place)
    {
        try
        {
            return IPAddress.TryParse(place.Host, out IPAddress? address)
                ? [new IPEndPoint(address, place.Port)]
                : [.. Dns.GetHostAddresses(place.Host).Select(each => new IPEndPoint(each, place.Port))];
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            return []; // no such name, or longer than one can be
        }
    }

    private static bool IsWildcard(IPEndPoint endpoint) => endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any);

    private static IEnumerable<InterfaceAddress> Interfaces(IPEndPoint[] wildcards)
    {
        foreach (NetworkInterface each in Present().Where(each => each.OperationalStatus == OperationalStatus.Up))
        {
            IPInterfaceProperties properties = each.GetIPProperties();
            bool leadsOut = properties.GatewayAddresses.Any(gateway => !gateway.Address.Equals(IPAddress.Any) && !gateway.Address.Equals(IPAddress.IPv6Any));
            foreach (IPEndPoint wildcard in wildcards)
            {
                foreach (IPAddress address in properties.UnicastAddresses.Select(each => each.Address).Where(address => address.AddressFamily == wildcard.AddressFamily && !address.IsIPv6LinkLocal))
                {
                    yield return new InterfaceAddress(each.Name, each.NetworkInterfaceType, leadsOut, new IPEndPoint(address, wildcard.Port));
                }
            }
        }
    }

    /// <summary>None where a sandbox keeps the list from this process: others tell from where its datagrams come.</summary>
    private static NetworkInterface[] Present()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
