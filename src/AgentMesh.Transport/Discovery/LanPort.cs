using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Discovery;

namespace AgentMesh.Transport.Discovery;

/// <summary>One interface that is taken part on: its socket, the times of its announcements, and the task that reads.</summary>
internal sealed class LanPort : ILinkPort
{
    // One more than an announcement, so that what is longer is seen to be.
    private const int BufferBytes = LanAnnouncement.Size + 1;

    // What comes faster is left to the operating system to drop: a flood on the link must not keep a core busy.
    private const int BurstMax = 2_000;
    private const int PerSecondMax = 2_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly LanSocket _socket;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    private LanPort(LanInterface at, LanSocket socket, AnnouncementSchedule schedule, Action<LanPort, ReadOnlyMemory<byte>, IPAddress> heard, TimeProvider time)
    {
        Interface = at;
        Schedule = schedule;
        _socket = socket;
        _time = time;
        _reading = Task.Run(() => ReadAsync(heard));
    }

    public LanInterface Interface { get; }

    /// <summary>Used under the lock of the owner.</summary>
    public AnnouncementSchedule Schedule { get; }

    /// <returns>Null when the interface cannot be used, which may change.</returns>
    public static LanPort? TryOpen(
        LanInterface at, int port, AnnouncementSchedule schedule, Action<LanPort, ReadOnlyMemory<byte>, IPAddress> heard, TimeProvider time, out SocketException? problem)
    {
        problem = null;
        try
        {
            return new LanPort(at, LanSocket.Open(at, port), schedule, heard, time);
        }
        catch (SocketException error)
        {
            problem = error;
            return null;
        }
    }

    public bool TrySend(ReadOnlySpan<byte> datagram) => _socket.TrySend(datagram);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _reading.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ReadAsync(Action<LanPort, ReadOnlyMemory<byte>, IPAddress> heard)
    {
        long start = _time.GetTimestamp();
        var allowance = new TokenBucket(BurstMax, PerSecondMax);
        byte[] buffer = new byte[BufferBytes];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                (int length, IPAddress source) = await _socket.ReceiveAsync(buffer, _stop.Token).ConfigureAwait(false);
                heard(this, buffer.AsMemory(0, length), source);
                if (allowance.TryTake(_time.GetElapsedTime(start)))
                {
                    continue;
                }
            }
            catch (SocketException)
            {
                // The network is down or has just changed, or a datagram was too long where the system says so.
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }

            try
            {
                await Task.Delay(Pause, _time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
