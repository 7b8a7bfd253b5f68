using System.Net;
using System.Net.Sockets;

namespace Scenarios.Harness;

/// <summary>An address on loopback that passes datagrams on to a node, and its answers back, each after a while. For one device at a time.</summary>
internal sealed class SlowWay : IAsyncDisposable
{
    private readonly TimeSpan _delay;
    private readonly IPEndPoint _node;
    private readonly Socket _outer = Bound(), _inner = Bound();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _passing;
    private volatile IPEndPoint? _guest;

    /// <param name="delay">In each direction.</param>
    public SlowWay(int port, TimeSpan delay)
    {
        _delay = delay;
        _node = new IPEndPoint(IPAddress.Loopback, port);
        _passing =
        [
            PassAsync(_outer, from => _guest = from, _inner, () => _node),
            PassAsync(_inner, static _ => { }, _outer, () => _guest!),
        ];
    }

    public int Port => ((IPEndPoint)_outer.LocalEndPoint!).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_passing);
        _outer.Dispose();
        _inner.Dispose();
        _stop.Dispose();
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task PassAsync(Socket from, Action<IPEndPoint> came, Socket to, Func<IPEndPoint> where)
    {
        byte[] buffer = new byte[ushort.MaxValue];
        while (true)
        {
            try
            {
                SocketReceiveFromResult got = await from.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                came((IPEndPoint)got.RemoteEndPoint);
                _ = LaterAsync(buffer[..got.ReceivedBytes], to, where());
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The node there is gone, for now.
            }
        }
    }

    private async Task LaterAsync(byte[] datagram, Socket to, IPEndPoint where)
    {
        try
        {
            await Task.Delay(_delay, _stop.Token);
            await to.SendToAsync(datagram, where, _stop.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // As lost as any.
        }
    }
}
