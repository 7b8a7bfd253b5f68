using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Transport.Gateways;

/// <summary>Which gateway IPv4 packets leave by.</summary>
/// <param name="Local">This device's own address towards it.</param>
public sealed record DefaultRoute(IPAddress Gateway, IPAddress Local);

/// <summary>The routes of the operating system.</summary>
public interface IRouteTable
{
    /// <summary>The default route of IPv4 now; null where there is none.</summary>
    DefaultRoute? Find();
}

/// <summary>Linux: the table of the kernel. Elsewhere: what the framework tells of the interfaces.</summary>
public sealed class SystemRouteTable : IRouteTable
{
    private const string LinuxTable = "/proc/net/route";

    public DefaultRoute? Find()
    {
        try
        {
            IPAddress? gateway = OperatingSystem.IsLinux() ? ProcNetRoute.DefaultGateway(File.ReadLines(LinuxTable))?.Gateway : OfInterfaces();
            return gateway is null ? null : new DefaultRoute(gateway, LocalTowards(gateway));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NetworkInformationException or SocketException)
        {
            // It is looked for again when the network changes.
            return null;
        }
    }

    private static IPAddress? OfInterfaces() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(each => each.OperationalStatus == OperationalStatus.Up && each.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(each => each.GetIPProperties().GatewayAddresses)
            .Select(each => each.Address)
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !address.Equals(IPAddress.Any));

    // Connecting a UDP socket sends nothing; the system chooses the address that it would send from.
    private static IPAddress LocalTowards(IPAddress gateway)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(new IPEndPoint(gateway, Pcp.ServerPort));
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }
}
