using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Discovery;

/// <summary>The port of multicast DNS on one interface, shared with whoever else on this machine uses it, such as avahi-daemon. Receiving is for one reader; sending does not wait.</summary>
internal sealed class MdnsSocket : IDisposable
{
    public const int Port = 5353;

    private const int ReceiveBufferBytes = 128 * 1024;

    // RFC 6762, 11: 255 shows to others that no router has passed it on.
    private const int HopsOf = 255;

    // Linux, <sys/socket.h>, <netinet/in.h> and <linux/in6.h>.
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int IpMulticastAll = 49;
    private const int Ipv6MulticastAll = 29;

    private static readonly IPAddress Group4 = IPAddress.Parse("224.0.0.251");
    private static readonly IPAddress Group6 = IPAddress.Parse("ff02::fb");

    private readonly Socket _socket;
    private readonly IPEndPoint _group;
    private readonly SocketAddress _from;
    private readonly IPEndPoint _shape;

    private MdnsSocket(Socket socket, LanInterface at)
    {
        bool isV4 = at.Family == AddressFamily.InterNetwork;
        _socket = socket;
        _group = new IPEndPoint(isV4 ? Group4 : new IPAddress(Group6.GetAddressBytes(), at.Index), Port);
        _from = new SocketAddress(at.Family);
        _shape = new IPEndPoint(isV4 ? IPAddress.Any : IPAddress.IPv6Any, 0);
    }

    /// <exception cref="SocketException">The interface has just gone, or the port is held by somebody who does not share it.</exception>
    public static MdnsSocket Open(LanInterface at)
    {
        bool isV4 = at.Family == AddressFamily.InterNetwork;
        var socket = new Socket(at.Family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            TrySetOnLinux(socket, SolSocket, SoReusePort, 1);
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            SocketOptionLevel level = isV4 ? SocketOptionLevel.IP : SocketOptionLevel.IPv6;
            if (isV4)
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, Port));
                TrySetOnLinux(socket, level: 0, IpMulticastAll, 0);
                socket.SetSocketOption(level, SocketOptionName.AddMembership, new MulticastOption(Group4, at.Index));
                socket.SetSocketOption(level, SocketOptionName.IpTimeToLive, HopsOf);
            }
            else
            {
                socket.DualMode = false;
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, Port));
                TrySetOnLinux(socket, level: 41, Ipv6MulticastAll, 0);
                socket.SetSocketOption(level, SocketOptionName.AddMembership, new IPv6MulticastOption(Group6, at.Index));
            }

            socket.SetSocketOption(level, SocketOptionName.MulticastInterface, isV4 ? IPAddress.HostToNetworkOrder(at.Index) : at.Index);
            socket.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, HopsOf);
            socket.SetSocketOption(level, SocketOptionName.MulticastLoopback, true);
            return new MdnsSocket(socket, at);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next datagram; what does not fit into <paramref name="buffer"/> is cut off.</summary>
    /// <exception cref="SocketException">News of the network; another datagram may follow.</exception>
    public async ValueTask<(int Length, IPEndPoint Source)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, _from, cancellationToken).ConfigureAwait(false);
        return (length, (IPEndPoint)_shape.Create(_from));
    }

    /// <param name="to">Null for the group.</param>
    /// <returns>False when the operating system refused it.</returns>
    public bool TrySend(byte[] datagram, IPEndPoint? to)
    {
        try
        {
            _socket.SendTo(datagram, to ?? _group);
            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();

    // An older kernel does without; then multicasts of other interfaces come too, and are heard twice.
    private static void TrySetOnLinux(Socket socket, int level, int option, int value)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
            }
            catch (SocketException)
            {
            }
        }
    }
}
