using System.Net.Sockets;

namespace AgentMesh.Transport.Udp;

/// <summary>Sets what a socket may or may not know, and says whether it does.</summary>
internal static class SocketOptions
{
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
