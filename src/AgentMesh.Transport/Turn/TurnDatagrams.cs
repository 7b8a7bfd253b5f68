using System.Net;
using System.Net.Sockets;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Turn;

/// <summary>A UDP socket towards a TURN server.</summary>
internal sealed class TurnDatagrams : ITurnLink
{
    private const int DatagramBytesMax = 2048;

    private static readonly TimeSpan AfterError = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly TimeProvider _time;

    public TurnDatagrams(AddressFamily family, TimeProvider time)
    {
        _time = time;
        _socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
        SocketOptions.ForbidFragments(_socket);
        _socket.Bind(Any);
    }

    private IPEndPoint Any => new(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);

    public void Send(ReadOnlySpan<byte> message, IPEndPoint to)
    {
        try
        {
            _socket.SendTo(message, SocketFlags.None, to);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Lost, as on the way.
        }
    }

    public async Task ReceiveAsync(TurnTaker take, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[DatagramBytesMax];
        var from = new SocketAddress(_socket.AddressFamily);
        var senders = new SenderCache();
        IPEndPoint any = Any;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken).ConfigureAwait(false);
                take(buffer.AsSpan(0, length), senders.Find(from, any));
            }
            catch (SocketException)
            {
                // News of an earlier datagram: the requests' own patience decides.
                await Task.Delay(AfterError, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
