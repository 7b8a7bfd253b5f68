using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using AgentMesh.Node.Settings;

namespace AgentMesh.Node.Links;

/// <summary>Where this device can be told to be: its bound addresses, wildcards replaced by those of the interfaces, and the announced one first.</summary>
internal static class LocalAddresses
{
    public const int Most = 32;

    public static IReadOnlyList<IPEndPoint> Of(IReadOnlyList<IPEndPoint> bound, HostPort? announce)
    {
        var found = new List<IPEndPoint>();
        if (announce is { } given)
        {
            found.AddRange(Resolve(given));
        }

        foreach (IPEndPoint endpoint in bound)
        {
            if (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any))
            {
                found.AddRange(Interfaces(endpoint.AddressFamily).Select(address => new IPEndPoint(address, endpoint.Port)));
            }
            else
            {
                found.Add(endpoint);
            }
        }

        return [.. found.Distinct().Take(Most)];
    }

    public static IReadOnlyList<IPEndPoint> Resolve(HostPort place)
    {
        try
        {
            return IPAddress.TryParse(place.Host, out IPAddress? address)
                ? [new IPEndPoint(address, place.Port)]
                : [.. Dns.GetHostAddresses(place.Host).Select(each => new IPEndPoint(each, place.Port))];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    // Loopback comes last: it is right only for devices of the same machine, which is what tests and demos are.
    private static IEnumerable<IPAddress> Interfaces(AddressFamily family) =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(each => each.OperationalStatus == OperationalStatus.Up)
            .SelectMany(each => each.GetIPProperties().UnicastAddresses)
            .Select(each => each.Address)
            .Where(address => address.AddressFamily == family && !address.IsIPv6LinkLocal)
            .OrderBy(IPAddress.IsLoopback);
}
