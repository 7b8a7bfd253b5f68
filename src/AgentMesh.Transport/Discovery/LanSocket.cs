using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Membership in the group on one interface. A socket for each: Linux lets one socket join twenty groups only, and so it is known where a datagram came from.
/// Receiving is for one reader, sending for one writer.
/// </summary>
internal sealed class LanSocket : IDisposable
{
    private const int ReceiveBufferBytes = 64 * 1024;

    // Linux, <netinet/in.h> and <linux/in6.h>: without these a socket hears what others on this machine have joined elsewhere.
    private const int IpMulticastAll = 49;
    private const int Ipv6MulticastAll = 29;

    private readonly Socket _receiver;
    private readonly LanInterface _interface;
    private readonly SocketAddress _group;
    private readonly SocketAddress _from;

    private LanSocket(Socket receiver, LanInterface at, SocketAddress group)
    {
        _receiver = receiver;
        _interface = at;
        _group = group;
        _from = new SocketAddress(at.Family);
    }

    /// <exception cref="SocketException">The interface has just gone, or its address is not ready yet.</exception>
    public static LanSocket Open(LanInterface at, int port)
    {
        bool isV4 = at.Family == AddressFamily.InterNetwork;
        var socket = new Socket(at.Family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Several nodes of one machine listen side by side, and each gets every multicast.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            if (isV4)
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, port));
                HearOnlyOwnGroups(socket, level: 0, IpMulticastAll);
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(LanDiscoverySettings.Group4, at.Index));
            }
            else
            {
                socket.DualMode = false;
                socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                HearOnlyOwnGroups(socket, level: 41, Ipv6MulticastAll);
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(LanDiscoverySettings.Group6, at.Index));
            }

            IPAddress group = isV4 ? LanDiscoverySettings.Group4 : new IPAddress(LanDiscoverySettings.Group6.GetAddressBytes(), at.Index);
            return new LanSocket(socket, at, new IPEndPoint(group, port).Serialize());
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next datagram; what does not fit into <paramref name="buffer"/> is cut off.</summary>
    /// <exception cref="SocketException">News of the network, or a datagram that is too long; another may follow.</exception>
    public async ValueTask<(int Length, IPAddress Source)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int length = await _receiver.ReceiveFromAsync(buffer, SocketFlags.None, _from, cancellationToken).ConfigureAwait(false);
        return (length, ((IPEndPoint)new IPEndPoint(_interface.Source, 0).Create(_from)).Address);
    }

    /// <summary>To everybody on the link, from the address that was signed: announcements are rare, so the socket for it does not stay.</summary>
    /// <returns>False when the operating system refused it.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        try
        {
            bool isV4 = _interface.Family == AddressFamily.InterNetwork;
            SocketOptionLevel level = isV4 ? SocketOptionLevel.IP : SocketOptionLevel.IPv6;
            using var sender = new Socket(_interface.Family, SocketType.Dgram, ProtocolType.Udp);
            sender.Bind(new IPEndPoint(_interface.Source, 0));
            sender.SetSocketOption(level, SocketOptionName.MulticastInterface, isV4 ? IPAddress.HostToNetworkOrder(_interface.Index) : _interface.Index);
            sender.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, 1);
            sender.SetSocketOption(level, SocketOptionName.MulticastLoopback, true);
            sender.SendTo(datagram, SocketFlags.None, _group);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose() => _receiver.Dispose();

    private static void HearOnlyOwnGroups(Socket socket, int level, int option)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                socket.SetRawSocketOption(level, option, BitConverter.GetBytes(0));
            }
            catch (SocketException)
            {
                // An older kernel: announcements arrive more than once, and all but the first count as replayed.
            }
        }
    }
}
