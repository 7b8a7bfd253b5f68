using System.Net;
using System.Net.Sockets;
using AgentMesh.Errors;
using AgentMesh.Protocol.Packets;

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
    private readonly BatchSender? _batches;

    private UdpSocket(Socket socket, int bufferBytes, bool offload)
    {
        _socket = socket;
        Local = (IPEndPoint)socket.LocalEndPoint!;
        Handle = socket.SafeHandle;
        _from = new SocketAddress(Local.AddressFamily);
        bool isLinux = LinuxSockets.IsSupported && offload;
        bool sends = isLinux && SocketOptions.TrySet(socket, LinuxSockets.SolUdp, LinuxSockets.UdpSegment, 0);
        bool receives = isLinux && SocketOptions.TrySet(socket, LinuxSockets.SolUdp, LinuxSockets.UdpGro, 1);
        _batches = sends ? new BatchSender(this) : null;
        Info = new MeshSocketInfo(Local, bufferBytes, socket.ReceiveBufferSize, socket.SendBufferSize, sends, receives, sends && receives && SocketOptions.TellMarks(socket));
    }

    public IPEndPoint Local { get; }

    public MeshSocketInfo Info { get; }

    /// <summary>For calls that the base library does not have.</summary>
    public SafeSocketHandle Handle { get; }

    public bool IsClosed => _closed.IsSet;

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
    /// <param name="offload">Sends and receives many datagrams with one call where the system can.</param>
    public static UdpSocket Bind(IPEndPoint local, int bufferBytes, bool offload = true)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            SocketOptions.AskForBuffers(socket, bufferBytes);
            SocketOptions.ForbidFragments(socket);
            if (OperatingSystem.IsWindows())
            {
                socket.IOControl(UdpConnectionReset, [0], null);
            }

            socket.Bind(local);
            return new UdpSocket(socket, bufferBytes, offload);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new MeshException(
                TransportErrors.CannotListen, $"cannot listen on UDP {local}: {error.Message}", "choose another address or port ('agentmesh.listen'); port 0 takes any free one", error);
        }
    }

    public DatagramReceiver NewReceiver() => Info.ReceivesBatches ? new BatchReceiver(this) : new PlainReceiver(this);

    /// <summary>After so many errors in a row.</summary>
    public void WaitAfterError(int errors)
    {
        if (errors >= ErrorsBeforePause)
        {
            _closed.Wait(Pause);
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
            catch (SocketException)
            {
                // News of an earlier datagram (nobody listens there, no route, a firewall), or a datagram too long to be ours.
                WaitAfterError(errors);
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>Sends datagrams that lie one behind the other, each <paramref name="datagramBytes"/> long but the last, which may be shorter.</summary>
    /// <param name="ecn">For all of them; without effect where <see cref="MeshSocketInfo.CarriesMarks"/> is not set.</param>
    public SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        if (_batches is not null)
        {
            return _batches.Send(datagrams, datagramBytes, to, ecn);
        }

        SendOutcome worst = SendOutcome.Sent;
        while (!datagrams.IsEmpty)
        {
            int length = Math.Min(datagramBytes, datagrams.Length);
            SendOutcome outcome = SendOne(datagrams[..length], to);
            worst = outcome > worst ? outcome : worst;
            datagrams = datagrams[length..];
        }

        return worst;
    }

    private SendOutcome SendOne(ReadOnlySpan<byte> datagram, SocketAddress to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, to);
            return SendOutcome.Sent;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.MessageSize ? SendOutcome.TooLong : SendOutcome.Refused;
        }
        catch (ObjectDisposedException)
        {
            return SendOutcome.Refused;
        }
    }

    public void Dispose()
    {
        _closed.Set();
        _socket.Dispose();
    }
}
