using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Spare;

/// <summary>
/// A UDP socket beside those that the endpoint listens with, for IPv4 and for one purpose: another outside port of the NAT. One that a connection uses as its path stays open;
/// others are closed when their time is over. Thread-safe.
/// </summary>
public sealed class SpareSocket : IDisposable
{
    // Longer datagrams are cut, do not open and are taken for lost by the search for the greatest.
    private const int DatagramBytesMax = 2048;
    private const int ErrorsMax = 1_000;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private volatile Target? _last;

    private SpareSocket(Socket socket, ushort number)
    {
        _socket = socket;
        Number = number;
    }

    internal ushort Number { get; }

    internal TimeSpan KeptUntil { get; set; }

    /// <returns>Null where the system has none to give.</returns>
    internal static SpareSocket? TryOpen(ushort number)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            SocketOptions.ForbidFragments(socket);
            socket.Bind(new IPEndPoint(IPAddress.Any, 0));
            return new SpareSocket(socket, number);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Makes the NAT open a port that lets this address in.</summary>
    /// <param name="timeToLive">Routers that the datagram passes at most, so that it opens near NATs and does not get to the other side's.</param>
    public void OpenTowards(IPEndPoint remote, short? timeToLive)
    {
        try
        {
            short usual = _socket.Ttl;
            _socket.Ttl = timeToLive ?? usual;
            Send([(byte)DatagramKind.Opening], remote);
            _socket.Ttl = usual;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It will not be this one.
        }
    }

    internal void Send(ReadOnlySpan<byte> datagram, IPEndPoint to) => SendOne(datagram, to.Serialize());

    internal SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to)
    {
        Target? target = _last;
        if (target is null || !ReferenceEquals(to, target.To))
        {
            SpareAddress.TryRead(to, out _, out SocketAddress remote);
            _last = target = new Target(to, remote);
        }

        SendOutcome worst = SendOutcome.Sent;
        for (; !datagrams.IsEmpty; datagrams = datagrams[Math.Min(datagramBytes, datagrams.Length)..])
        {
            SendOutcome outcome = SendOne(datagrams[..Math.Min(datagramBytes, datagrams.Length)], target.Remote);
            worst = outcome > worst ? outcome : worst;
        }

        return worst;
    }

    /// <summary>Until it is closed.</summary>
    internal async Task ReceiveAsync(Action<SpareSocket, Memory<byte>, IPEndPoint> take)
    {
        byte[] buffer = new byte[DatagramBytesMax];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        var senders = new SenderCache();
        var any = new IPEndPoint(IPAddress.Any, 0);
        for (int errors = 0; errors < ErrorsMax && !_stop.IsCancellationRequested;)
        {
            try
            {
                int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stop.Token).ConfigureAwait(false);
                take(this, buffer.AsMemory(0, length), SpareAddress.Of(Number, senders.Find(from, any)));
            }
            catch (SocketException)
            {
                errors++;
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
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

    /// <summary>What was sent to last, so that its address is not made anew for every datagram.</summary>
    private sealed record Target(SocketAddress To, SocketAddress Remote);
}
