using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Beacon.Server;

/// <summary>What a <see cref="BeaconCore"/> decides, under one lock, and the streams of its guests. Thread-safe.</summary>
internal sealed class GuestHall : IDisposable
{
    // How long what is above the total waits at least; a timer does not go off much oftener.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(2);

    private readonly Lock _gate = new();
    private readonly Action<byte[], IPEndPoint> _send;
    private readonly ITimer _turns;
    private bool _isServing;
    private readonly BeaconCore _core;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ConcurrentDictionary<Guest, Channel<byte>> _wakers = new();

    /// <param name="send">Sends a datagram that had to wait for its turn.</param>
    public GuestHall(BeaconLimits limits, ChannelIds ids, Action<byte[], IPEndPoint> send, TimeProvider time, int observerPort = 0)
    {
        _send = send;
        _turns = time.CreateTimer(_ => ServeWaiting(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _time = time;
        _start = time.GetTimestamp();
        _core = new BeaconCore(limits, ids, Now) { ObserverPort = observerPort };
        _core.HasFrames += guest => _wakers.GetValueOrDefault(guest)?.Writer.TryWrite(0);
    }

    public BeaconCounters Counters
    {
        get
        {
            lock (_gate)
            {
                return _core.Counters;
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>The connection of a device began over this tunnel.</summary>
    public bool IsInUse(IPEndPoint tunnel)
    {
        lock (_gate)
        {
            return _core.IsInUse(tunnel);
        }
    }

    /// <inheritdoc cref="BeaconCore.MayObserve"/>
    public bool MayObserve(UInt128 ticket)
    {
        lock (_gate)
        {
            return _core.MayObserve(ticket, Now);
        }
    }

    /// <inheritdoc cref="BeaconCore.TryEnter"/>
    public Guest? TryEnter(DeviceId device, IPEndPoint address, IPAddress? source)
    {
        lock (_gate)
        {
            Guest? guest = _core.TryEnter(device, address, Now, source);
            if (guest is not null)
            {
                _wakers[guest] = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
            }

            return guest;
        }
    }

    public void Moved(Guest guest, IPEndPoint address)
    {
        lock (_gate)
        {
            _core.Moved(guest, address);
        }
    }

    public void Leave(Guest guest)
    {
        _wakers.TryRemove(guest, out _);
        lock (_gate)
        {
            _core.Leave(guest);
        }
    }

    /// <inheritdoc cref="BeaconCore.Relay"/>
    public int Relay(Span<byte> envelope, IPEndPoint from, out IPEndPoint to)
    {
        lock (_gate)
        {
            int length = _core.Relay(envelope, from, Now, out to);
            if (_core.HasWaiting && !_isServing)
            {
                _isServing = true;
                _turns.Change(Turn, Timeout.InfiniteTimeSpan);
            }

            return length;
        }
    }

    public void Dispose() => _turns.Dispose();

    private void ServeWaiting()
    {
        lock (_gate)
        {
            while (_core.TryNext(Now, out byte[] envelope, out IPEndPoint to))
            {
                _send(envelope, to);
            }

            _isServing = _core.HasWaiting;
            if (_isServing)
            {
                _turns.Change(Turn, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>To be called about once a second.</summary>
    public void HandleTimeout()
    {
        lock (_gate)
        {
            _core.HandleTimeout(Now);
        }
    }

    /// <summary>Talks with a guest, whose stream's header is read, until the stream, the connection or the token ends.</summary>
    public async Task TalkAsync(Guest guest, IMeshStream stream, Task closed, CancellationToken cancellationToken)
    {
        if (!_wakers.TryGetValue(guest, out Channel<byte>? waker))
        {
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task talking = SayAllAsync(guest, stream, waker.Reader, over.Token), listening = ListenAsync(guest, stream, over.Token);
        await Task.WhenAny(talking, listening, closed).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(talking, listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ListenAsync(Guest guest, IMeshStream stream, CancellationToken cancellationToken)
    {
        while (await BeaconStream.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is { } frame)
        {
            lock (_gate)
            {
                if (!_core.Handle(guest, frame, Now))
                {
                    return;
                }
            }
        }
    }

    private async Task SayAllAsync(Guest guest, IMeshStream stream, ChannelReader<byte> wakes, CancellationToken cancellationToken)
    {
        do
        {
            while (Next() is { } frame)
            {
                await stream.WriteAsync(frame.ToBytes(), cancellationToken).ConfigureAwait(false);
            }
        }
        while (await wakes.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && wakes.TryRead(out _));

        BeaconFrame? Next()
        {
            lock (_gate)
            {
                return guest.Outbox.TryDequeue(out BeaconFrame? frame) ? frame : null;
            }
        }
    }
}
