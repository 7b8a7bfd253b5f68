using System.Net.Sockets;

namespace AgentMesh.Transport.Tunnels;

/// <summary>TCP sockets that carry datagrams.</summary>
public static class TunnelSockets
{
    // linux/tcp.h: with more than so many bytes that were not sent yet a socket takes none, so that they wait where they can still be lost.
    private const int SolTcp = 6;
    private const int TcpNotSentLowWater = 25;
    private const int NotSentBytes = 32 * 1024;

    /// <summary>What is sent goes at once, and little of it waits within the operating system. Where that cannot be had the socket stays as it is.</summary>
    public static void Tune(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(SolTcp, TcpNotSentLowWater, BitConverter.GetBytes(NotSentBytes));
            }
        }
        catch (SocketException)
        {
            // An old kernel: queues are longer.
        }
    }
}
