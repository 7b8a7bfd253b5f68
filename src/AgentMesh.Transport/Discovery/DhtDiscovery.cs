using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Says to single devices, over the mainline DHT, where this one is, and looks where they are (dht-v1.md). From a socket of its own, over IPv4, without serving others. Thread-safe.
/// </summary>
public sealed class DhtDiscovery : IAsyncDisposable
{
    // No message of a node is longer: 8 nodes, a token and an item of a thousand bytes.
    private const int DatagramBytesMax = 2_048;
    private const int SearchesMax = 4;
    private const int PerSecondMax = 500;

    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(5);

    private long _refused;
    private readonly DeviceIdentity _identity;
    private readonly IReadOnlyList<DnsEndPoint> _bootstrap;
    private readonly IReadOnlyList<IPEndPoint> _known;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Socket _socket;
    private readonly DhtId _own;
    private readonly Lock _gate = new();
    private readonly DhtNodes _nodes = new();
    private readonly ConcurrentDictionary<Running, byte> _searches = new();
    private readonly SemaphoreSlim _slots = new(SearchesMax);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    /// <param name="bootstrap">Nodes to begin with; asked again whenever fewer than eight others are known.</param>
    /// <param name="known">Nodes that answered an earlier run (<see cref="Newest"/>): asked with those.</param>
    /// <exception cref="SocketException">There is no IPv4 here.</exception>
    public DhtDiscovery(DeviceIdentity identity, IReadOnlyList<DnsEndPoint> bootstrap, IReadOnlyList<IPEndPoint> known, IPAddress bind, IEntropy entropy, TimeProvider time)
    {
        _identity = identity;
        _bootstrap = bootstrap;
        _known = known;
        _entropy = entropy;
        _time = time;
        _start = time.GetTimestamp();
        Span<byte> own = stackalloc byte[DhtId.Bytes];
        entropy.Fill(own);
        _own = new DhtId(own);
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(bind, 0));
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Nodes that answered lately.</summary>
    public int Nodes
    {
        get
        {
            lock (_gate)
            {
                return _nodes.Count;
            }
        }
    }

    /// <summary>Those of them that answered last, the latest first.</summary>
    public IReadOnlyList<IPEndPoint> Newest(int count)
    {
        lock (_gate)
        {
            return _nodes.Newest(count);
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Where what this device says to another can be found today: for tools, in hexadecimal.</summary>
    public string? PlaceOf(DevicePublicKey other) => DhtRecord.TryCreate(_identity, other, isOwn: true, DhtRecord.DayOf(_time.GetUtcNow()))?.Target.ToString();

    /// <summary>Says to one device where this one is.</summary>
    /// <param name="addresses">The first 16 count.</param>
    /// <returns>How many nodes keep it; for about two hours.</returns>
    public async Task<int> PublishAsync(DevicePublicKey to, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (DhtRecord.TryCreate(_identity, to, isOwn: true, DhtRecord.DayOf(now)) is not { } record)
        {
            return 0;
        }

        return (await SearchAsync(record.Target, record.Seal(addresses, now.ToUnixTimeMilliseconds()), cancellationToken).ConfigureAwait(false)).Stored;
    }

    /// <summary>Values that nodes gave for places of this mesh and that no device of it has said; nothing of them is used.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Where a device said to this one that it is, today or, by a clock that is late, yesterday; empty when it said nothing.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> FindAsync(DevicePublicKey from, CancellationToken cancellationToken)
    {
        long today = DhtRecord.DayOf(_time.GetUtcNow());
        foreach (long day in (long[])[today, today - 1, today + 1])
        {
            if (DhtRecord.TryCreate(_identity, from, isOwn: false, day) is not { } record)
            {
                continue;
            }

            DhtSearch search = await SearchAsync(record.Target, null, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<IPEndPoint>? addresses = search.Found is { } item ? record.TryOpen(item) : null;
            Interlocked.Add(ref _refused, search.BadItems + (search.Found is not null && addresses is null ? 1 : 0));
            if (addresses is { Count: > 0 })
            {
                return addresses;
            }
        }

        return [];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _reading.ConfigureAwait(false);
        _slots.Dispose();
        _stop.Dispose();
    }

    private async Task<DhtSearch> SearchAsync(DhtId target, DhtItem? item, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await _slots.WaitAsync(either.Token).ConfigureAwait(false);
        try
        {
            IReadOnlyList<IPEndPoint> bootstrap = Nodes >= 8 ? [] : [.. await ResolveAsync(either.Token).ConfigureAwait(false), .. _known];
            Running running;
            lock (_gate)
            {
                running = new Running(new DhtSearch(_own, target, item, _nodes, bootstrap, _entropy, Now));
            }

            _searches[running] = 0;
            try
            {
                await RunAsync(running, either.Token).ConfigureAwait(false);
                return running.Search;
            }
            finally
            {
                _searches.TryRemove(running, out _);
            }
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task RunAsync(Running running, CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan wait;
            Task woken;
            lock (_gate)
            {
                running.Search.Tick(Now);
                while (running.Search.TryTransmit(out (IPEndPoint To, byte[] Bytes) transmit))
                {
                    Send(transmit.Bytes, transmit.To);
                }

                if (running.Search.IsOver)
                {
                    return;
                }

                wait = running.Search.Next - Now;
                woken = running.Woken.Wait();
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(woken, Task.Delay(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), _time, over.Token)).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(ResolveWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var found = new List<IPEndPoint>();
        foreach (DnsEndPoint place in _bootstrap)
        {
            try
            {
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(place.Host, AddressFamily.InterNetwork, either.Token).ConfigureAwait(false);
                found.AddRange(addresses.Take(4).Select(address => new IPEndPoint(address, place.Port)));
            }
            catch (Exception error) when (error is SocketException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // Others may be known.
            }
        }

        return found;
    }

    private void Send(byte[] datagram, IPEndPoint to)
    {
        try
        {
            _socket.SendTo(datagram, to);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // As if it was lost.
        }
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[DatagramBytesMax];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        var shape = new IPEndPoint(IPAddress.Any, 0);
        var allowance = new TokenBucket(PerSecondMax, PerSecondMax);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, _stop.Token).ConfigureAwait(false);
                if (allowance.TryTake(Now) && !_searches.IsEmpty && DhtReply.TryRead(buffer.AsSpan(0, length)) is { } reply)
                {
                    Take(reply, (IPEndPoint)shape.Create(from));
                }
            }
            catch (SocketException)
            {
                // News of a datagram that did not arrive.
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(DhtReply reply, IPEndPoint from)
    {
        lock (_gate)
        {
            foreach (Running running in _searches.Keys)
            {
                if (running.Search.Handle(reply, from, Now))
                {
                    running.Woken.Set();
                    return;
                }
            }
        }
    }

    private sealed class Running(DhtSearch search)
    {
        public DhtSearch Search => search;

        public Signal Woken { get; } = new();
    }
}
