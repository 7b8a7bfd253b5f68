using System.Net;
using System.Net.Sockets;
using AgentMesh.Errors;

namespace AgentMesh.Transport.Udp;

/// <summary>One bound UDP socket. Receiving blocks one thread; sending may come from any.</summary>
internal sealed class UdpSocket : IDisposable
{
    // SIO_UDP_CONNRESET: on Windows an ICMP error would otherwise end a receive with an exception.
    private const int UdpConnectionReset = -1744830452;

    // Errors that follow each other without any datagram in between mean a broken network stack: then the loop waits between tries.
    private const int ErrorsBeforePause = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly SocketAddress _from;
    private readonly SenderCache _senders = new();
    private readonly ManualResetEventSlim _closed = new();

    private UdpSocket(Socket socket)
    {
        _socket = socket;
        Local = (IPEndPoint)socket.LocalEndPoint!;
        _from = new SocketAddress(Local.AddressFamily);
    }

    public IPEndPoint Local { get; }

    public AddressFamily Family => Local.AddressFamily;

    /// <summary>A receive would not wait.</summary>
    public bool HasMore
    {
        get
        {
            try
            {
                return _socket.Available > 0;
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <exception cref="MeshException">AM0130: the address is not there or the port is taken.</exception>
    public static UdpSocket Bind(IPEndPoint local, int bufferBytes)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.ReceiveBufferSize = bufferBytes;
            socket.SendBufferSize = bufferBytes;
            if (OperatingSystem.IsWindows())
            {
                socket.IOControl(UdpConnectionReset, [0], null);
            }

            socket.Bind(local);
            return new UdpSocket(socket);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new MeshException(
                TransportErrors.CannotListen, $"cannot listen on UDP {local}: {error.Message}", "choose another address or port ('agentmesh.listen'); port 0 takes any free one", error);
        }
    }

    /// <summary>Waits for a datagram. False only when the socket was closed: news of earlier datagrams and a network that is down for a while are waited out.</summary>
    public bool TryReceive(Span<byte> buffer, out int length, out IPEndPoint from)
    {
        length = 0;
        from = Local;
        for (int errors = 0; !_closed.IsSet; errors++)
        {
            try
            {
                length = _socket.ReceiveFrom(buffer, SocketFlags.None, _from);
                from = _senders.Find(_from, Local);
                return true;
            }
            catch (SocketException) when (errors < ErrorsBeforePause)
            {
                // News of an earlier datagram (nobody listens there, no route, a firewall), or a datagram too long to be ours.
            }
            catch (SocketException)
            {
                _closed.Wait(Pause);
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }

        return false;
    }

    /// <returns>False when the operating system refused it: no route, for example. Datagrams may be lost at any time, so nobody needs to know.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram, SocketAddress to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, to);
            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _closed.Set();
        _socket.Dispose();
    }
}
