using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Discovery.Mdns;

namespace AgentMesh.Transport.Discovery;

/// <summary>One interface and address family on which this device takes part in mDNS. All but the reading task is used under the lock of the owner.</summary>
internal sealed class MdnsPort : ILinkPort
{
    // What comes faster is left to the operating system to drop.
    private const int PerSecondMax = 1_000;

    // Answers to one sender alone cannot be used to flood it.
    private const int AlonePerSecond = 50;

    private static readonly TimeSpan WaitWhenFlooded = TimeSpan.FromMilliseconds(50);

    private readonly MdnsSocket _socket;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly TokenBucket _alone = new(AlonePerSecond, AlonePerSecond);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    public MdnsPort(LanInterface at, MdnsSocket socket, MdnsResponder responder, MdnsBrowser browser, Action<MdnsPort, ReadOnlyMemory<byte>, IPEndPoint> heard, TimeProvider time)
    {
        Interface = at;
        Responder = responder;
        Browser = browser;
        Link = OnLink.Of(at.Source);
        _socket = socket;
        _time = time;
        _start = time.GetTimestamp();
        _reading = Task.Run(() => ReadAsync(heard));
    }

    public LanInterface Interface { get; }

    public MdnsResponder Responder { get; set; }

    public MdnsBrowser Browser { get; }

    public OnLink Link { get; set; }

    public TimeSpan Next => Responder.Next < Browser.Next ? Responder.Next : Browser.Next;

    /// <summary>Sends what both have to say.</summary>
    /// <returns>How many messages went out.</returns>
    public int Pump()
    {
        int sent = 0;
        while (Responder.TryTransmit(out MdnsTransmit transmit) || Browser.TryTransmit(out transmit))
        {
            sent += (transmit.To is null || _alone.TryTake(_time.GetElapsedTime(_start))) && _socket.TrySend(transmit.Bytes, transmit.To) ? 1 : 0;
        }

        return sent;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _reading.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ReadAsync(Action<MdnsPort, ReadOnlyMemory<byte>, IPEndPoint> heard)
    {
        var allowance = new TokenBucket(PerSecondMax, PerSecondMax);
        byte[] buffer = new byte[DnsMessage.BytesMax + 1];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                (int length, IPEndPoint source) = await _socket.ReceiveAsync(buffer, _stop.Token).ConfigureAwait(false);
                heard(this, buffer.AsMemory(0, length), source);
                if (allowance.TryTake(_time.GetElapsedTime(_start)))
                {
                    continue;
                }
            }
            catch (SocketException)
            {
                // The network is down or has just changed.
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }

            await Task.Delay(WaitWhenFlooded, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
