using System.Net.Sockets;

namespace AgentMesh.Transport.Udp;

/// <summary>Sets what a socket may or may not know, and says whether it does.</summary>
internal static class SocketOptions
{
    // IP_MTU_DISCOVER, IPV6_MTU_DISCOVER and IP_PMTUDISC_PROBE of Linux.
    private const int IpMtuDiscover = 10;
    private const int IpV6MtuDiscover = 23;
    private const int DiscoverProbe = 3;

    private const int SolSocket = 1;
    private const int SendBufferForce = 32;
    private const int ReceiveBufferForce = 33;

    /// <summary>Asks for buffers; beyond the system's maximum where this process may.</summary>
    public static void AskForBuffers(Socket socket, int bytes)
    {
        socket.ReceiveBufferSize = bytes;
        socket.SendBufferSize = bytes;
        if (OperatingSystem.IsLinux())
        {
            // The system tells twice of what was asked, for its own use of it.
            _ = socket.ReceiveBufferSize >= 2 * bytes || TrySet(socket, SolSocket, ReceiveBufferForce, bytes);
            _ = socket.SendBufferSize >= 2 * bytes || TrySet(socket, SolSocket, SendBufferForce, bytes);
        }
    }

    /// <summary>Datagrams are never cut on the way, and the system does not believe messages about what the path carries: both are found out by the connections.</summary>
    public static void ForbidFragments(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = socket.AddressFamily == AddressFamily.InterNetworkV6
                ? TrySet(socket, LinuxSockets.SolIpV6, IpV6MtuDiscover, DiscoverProbe)
                : TrySet(socket, LinuxSockets.SolIp, IpMtuDiscover, DiscoverProbe);
            return;
        }

        try
        {
            socket.DontFragment = socket.AddressFamily == AddressFamily.InterNetwork;
        }
        catch (SocketException)
        {
            // Then long ones are cut in pieces, which is slower and still right.
        }
    }

    /// <summary>Datagrams come with their TOS or traffic class as a control message. False where they do not.</summary>
    public static bool TellMarks(Socket socket) => socket.AddressFamily == AddressFamily.InterNetworkV6
        ? TrySet(socket, LinuxSockets.SolIpV6, LinuxSockets.IpV6ReceiveTrafficClass, 1)
        : TrySet(socket, LinuxSockets.SolIp, LinuxSockets.IpReceiveTos, 1);

    /// <summary>False when the system does not know the option or refuses it.</summary>
    public static bool TrySet(Socket socket, int level, int option, int value)
    {
        try
        {
            socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
