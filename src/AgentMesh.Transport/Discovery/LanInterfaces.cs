using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace AgentMesh.Transport.Discovery;

/// <summary>One address family on one interface, as announced there.</summary>
/// <param name="Index">The operating system's number of the interface.</param>
/// <param name="Source">Where announcements are sent from, and where the device can be reached.</param>
/// <param name="Port">The endpoint's port in this family.</param>
internal readonly record struct LanInterface(int Index, IPAddress Source, ushort Port)
{
    public AddressFamily Family => Source.AddressFamily;
}

/// <summary>The interfaces on which this device shows itself: those that its endpoint listens on, without loopback.</summary>
internal static class LanInterfaces
{
    /// <summary>Sockets are opened for each; further interfaces are left out.</summary>
    public const int Most = 64;

    public static IReadOnlyList<LanInterface> Find(IReadOnlyList<IPEndPoint> bound)
    {
        IPEndPoint[] outward = [.. bound.Where(local => !IPAddress.IsLoopback(local.Address))];
        if (outward.Length == 0)
        {
            return [];
        }

        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .Where(each => each.OperationalStatus == OperationalStatus.Up && each.SupportsMulticast && each.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(each => Of(each, outward))
                .Take(Most)];
        }
        catch (NetworkInformationException)
        {
            // The list changed while it was read; it is read again soon.
            return [];
        }
    }

    private static IEnumerable<LanInterface> Of(NetworkInterface each, IReadOnlyList<IPEndPoint> bound)
    {
        IPInterfaceProperties properties = each.GetIPProperties();
        IPAddress[] addresses = [.. properties.UnicastAddresses.Select(unicast => unicast.Address)];
        if (Pick(addresses, bound, AddressFamily.InterNetwork) is { } four && IndexOf(() => properties.GetIPv4Properties().Index) is { } index4)
        {
            yield return new LanInterface(index4, four.Address, (ushort)four.Port);
        }

        if (Pick(addresses, bound, AddressFamily.InterNetworkV6) is { } six && IndexOf(() => properties.GetIPv6Properties().Index) is { } index6)
        {
            yield return new LanInterface(index6, six.Address, (ushort)six.Port);
        }
    }

    /// <summary>The address that the endpoint is bound to; when that is none in particular, the first one, or over IPv6 the link-local one, which is always right on the link.</summary>
    internal static IPEndPoint? Pick(IReadOnlyList<IPAddress> addresses, IReadOnlyList<IPEndPoint> bound, AddressFamily family)
    {
        foreach (IPEndPoint local in bound.Where(local => local.AddressFamily == family))
        {
            IPAddress? address = local.Address.Equals(IPAddress.Any) || local.Address.Equals(IPAddress.IPv6Any)
                ? addresses.FirstOrDefault(each => each.AddressFamily == family && (family == AddressFamily.InterNetwork || each.IsIPv6LinkLocal))
                : addresses.FirstOrDefault(local.Address.Equals);
            if (address is not null)
            {
                return new IPEndPoint(address, local.Port);
            }
        }

        return null;
    }

    // An interface may lack one of the families.
    private static int? IndexOf(Func<int> index)
    {
        try
        {
            return index();
        }
        catch (NetworkInformationException)
        {
            return null;
        }
    }
}
