using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Discovery.Dht;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// The DHT of one address family: IPv4 and IPv6 are networks of their own, whose nodes know none of the other (BEP 32), except that each tells nodes of the other to who asks for them. One socket, the
/// nodes that have answered there, and the searches under way. Thread-safe.
/// </summary>
internal sealed class DhtNetwork : IAsyncDisposable
{
    // No message of a node is longer: 8 nodes of each family, a token and an item of a thousand bytes.
    private const int DatagramBytesMax = 2_048;
    private const int SearchesMax = 4;
    private const int PerSecondMax = 500;

    // With so many nodes a search begins well.
    private const int EnoughNodes = 8;

    // Addresses whose way is asked for before a search.
    private const int RoutesAskedMax = 4;

    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<DnsEndPoint> _bootstrap;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Socket _socket;
    private readonly DhtId _own;
    private readonly Lock _gate = new();
    private readonly DhtNodes _nodes = new();
    private readonly DhtHints _hints;
    private readonly ConcurrentDictionary<Running, byte> _searches = new();
    private readonly SemaphoreSlim _slots = new(SearchesMax);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    /// <param name="known">Nodes that answered an earlier run, of any family.</param>
    /// <exception cref="SocketException">There is no such family here.</exception>
    public DhtNetwork(DhtId own, IReadOnlyList<DnsEndPoint> bootstrap, IReadOnlyList<IPEndPoint> known, IPAddress bind, IEntropy entropy, TimeProvider time)
    {
        _own = own;
        _bootstrap = bootstrap;
        _hints = new DhtHints(known.Where(node => node.AddressFamily == bind.AddressFamily));
        _entropy = entropy;
        _time = time;
        _start = time.GetTimestamp();
        _socket = new Socket(bind.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (bind.AddressFamily == AddressFamily.InterNetworkV6)
        {
            _socket.DualMode = false;
        }

        _socket.Bind(new IPEndPoint(bind, 0));
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Nodes of the other family were named.</summary>
    public event Action<IReadOnlyList<DhtNode>>? OthersNamed;

    public AddressFamily Family => _socket.AddressFamily;

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

    /// <summary>Nodes of this family that somebody of the other named.</summary>
    public void Hint(IReadOnlyList<DhtNode> nodes)
    {
        lock (_gate)
        {
            _hints.Add(nodes);
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Looks for an item, or puts one.</summary>
    /// <returns>Null where nobody is known that this device could send to.</returns>
    public async Task<DhtSearch?> SearchAsync(DhtId target, DhtItem? item, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await _slots.WaitAsync(either.Token).ConfigureAwait(false);
        try
        {
            IReadOnlyList<IPEndPoint> resolved = Nodes >= EnoughNodes ? [] : await ResolveAsync(either.Token).ConfigureAwait(false);
            Running running;
            lock (_gate)
            {
                IPEndPoint[] begin = _nodes.Count >= EnoughNodes ? [] : [.. resolved, .. _hints.All];
                if (!_nodes.Newest(RoutesAskedMax).Concat(begin.Take(RoutesAskedMax)).Any(HasRoute))
                {
                    return null;
                }

                running = new Running(new DhtSearch(_own, target, item, _nodes, begin, _entropy, Now, Family));
            }

            _searches[running] = 0;
            try
            {
                await RunAsync(running, either.Token).ConfigureAwait(false);
                OthersNamed?.Invoke(running.Search.OthersNamed);
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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _reading.ConfigureAwait(false);
        _slots.Dispose();
        _stop.Dispose();
    }

    // Nothing is sent for it.
    private static bool HasRoute(IPEndPoint to)
    {
        try
        {
            using var asked = new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            asked.Connect(to);
            return true;
        }
        catch (SocketException)
        {
            return false;
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
                IPAddress[] addresses = await Dns.GetHostAddressesAsync(place.Host, Family, either.Token).ConfigureAwait(false);
                found.AddRange(addresses.Where(address => address.AddressFamily == Family).Take(4).Select(address => new IPEndPoint(address, place.Port)));
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
        var from = new SocketAddress(Family);
        var shape = new IPEndPoint(Family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
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
