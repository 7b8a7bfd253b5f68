using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>One of several ways between two connections: an address at each end, a delay, and directions that can be cut.</summary>
internal sealed class Way(string a, string b, double delayMilliseconds)
{
    /// <summary>Of A, as B knows it.</summary>
    public IPEndPoint A { get; set; } = IPEndPoint.Parse(a);

    public IPEndPoint B { get; set; } = IPEndPoint.Parse(b);

    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(delayMilliseconds);

    public bool IsCutToA { get; set; }

    public bool IsCutToB { get; set; }

    /// <summary>Swallows every datagram that is longer.</summary>
    public int BytesMax { get; set; } = int.MaxValue;

    public bool IsCut
    {
        set => IsCutToA = IsCutToB = value;
    }

    public long Carried { get; set; }

    /// <summary>Before A; then <see cref="A"/> means nothing.</summary>
    public ShortNat? Nat { get; init; }

    /// <summary>B lets in only what comes from where it has sent to in the last half minute.</summary>
    public bool IsFilteredAtB { get; init; }

    public Dictionary<IPEndPoint, TimeSpan> SentByB { get; } = [];
}

/// <summary>Two connections with several ways between them, and a clock that only moves when there is nothing left to do. The same seed gives the same bytes.</summary>
internal sealed class WaysPair : IDisposable
{
    private readonly PriorityQueue<(Side To, byte[] Datagram, IPEndPoint From), (TimeSpan At, long Order)> _flying = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly Random _random;
    private long _order;

    /// <param name="ways">The first is where the handshake ended.</param>
    public WaysPair(int seed, params Way[] ways)
        : this(seed, new ConnectionSettings(), ways)
    {
    }

    public WaysPair(int seed, ConnectionSettings settings, params Way[] ways)
    {
        Ways = ways;
        _random = new Random(seed);
        A = new Side(this, isInitiator: true, seed, settings);
        B = new Side(this, isInitiator: false, seed, settings);
        (A.Other, B.Other) = (B, A);
    }

    public IReadOnlyList<Way> Ways { get; }

    public Side A { get; }

    public Side B { get; }

    public double Loss { get; set; }

    /// <summary>That were sent.</summary>
    public long Datagrams => _order;

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    /// <summary>A way that is a relay's channel: the addresses stand for it.</summary>
    public static Way Relay(ulong channel, double delayMilliseconds) =>
        new(RelayAddress.Of(channel).ToString(), RelayAddress.Of(channel).ToString(), delayMilliseconds);

    /// <summary>Both know the relays among the ways.</summary>
    public void OfferRelays(bool isByPeer = false)
    {
        RelayWay[] relays = [.. Ways.Where(way => RelayAddress.IsRelay(way.A)).Select(way => new RelayWay(way.A, isByPeer))];
        A.Connection.SetRelays(relays, Now);
        B.Connection.SetRelays(relays, Now);
    }

    public void Run(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Until(() => false, time);
        Now = end;
    }

    public void Run(double seconds) => Run(TimeSpan.FromSeconds(seconds));

    /// <returns>How long it took; null when it did not happen in time.</returns>
    public TimeSpan? Until(Func<bool> reached, TimeSpan time)
    {
        TimeSpan start = Now, end = Now + time;
        Work();
        while (!reached())
        {
            TimeSpan timer = A.Connection.NextTimeout() < B.Connection.NextTimeout() ? A.Connection.NextTimeout() : B.Connection.NextTimeout();
            TimeSpan next = _flying.TryPeek(out _, out (TimeSpan At, long) first) && first.At < timer ? first.At : timer;
            if (next > end)
            {
                return null;
            }

            Now = next > Now ? next : Now;
            while (_flying.TryPeek(out var arrived, out first) && first.At <= Now)
            {
                _flying.Dequeue();
                arrived.To.Connection.HandleDatagram(arrived.Datagram, arrived.From, Now);
            }

            Work();
            Assert.True(_order < 2_000_000, $"{_order} datagrams after {Now - TestSessions.Start}");
        }

        return Now - start;
    }

    public void Dispose()
    {
        A.Connection.Dispose();
        B.Connection.Dispose();
    }

    private void Work()
    {
        A.Work();
        B.Work();
    }

    private void Transmit(Side from, ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        _order++;
        from.SentTo[to] = from.SentTo.GetValueOrDefault(to) + 1;
        foreach (Way way in Ways)
        {
            if (way.Nat is not null)
            {
                if (TransmitByNat(way, from, datagram, to))
                {
                    return;
                }

                continue;
            }

            if (!to.Equals(from.IsA ? way.B : way.A))
            {
                continue;
            }

            way.Carried += datagram.Length;
            if (datagram.Length <= way.BytesMax && !(from.IsA ? way.IsCutToB : way.IsCutToA) && _random.NextDouble() >= Loss)
            {
                _flying.Enqueue((from.Other, datagram.ToArray(), from.IsA ? way.A : way.B), (Now + way.Delay, _order));
            }

            return;
        }
    }

    private bool TransmitByNat(Way way, Side from, ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        bool arrives = !way.IsCutToA && !way.IsCutToB && _random.NextDouble() >= Loss;
        if (from.IsA)
        {
            SpareAddress.TryRead(to, out ushort socket, out IPEndPoint plain);
            if (!plain.Equals(way.B))
            {
                return false;
            }

            IPEndPoint seen = way.Nat!.Out(socket, Now);
            if (arrives && (!way.IsFilteredAtB || (way.SentByB.TryGetValue(seen, out TimeSpan at) && Now - at < TimeSpan.FromSeconds(30))))
            {
                _flying.Enqueue((B, datagram.ToArray(), seen), (Now + way.Delay, _order));
            }

            return true;
        }

        if (!way.Nat!.IsOutside(to.Address))
        {
            return false;
        }

        way.SentByB[to] = Now;
        if (arrives && way.Nat.In(to, Now) is { } taker)
        {
            _flying.Enqueue((A, datagram.ToArray(), taker == 0 ? way.B : SpareAddress.Of(taker, way.B)), (Now + way.Delay, _order));
        }

        return true;
    }

    internal sealed class Side(WaysPair pair, bool isInitiator, int seed, ConnectionSettings settings)
    {
        private long _toWrite;
        private ProtocolStream? _stream;
        private ushort _socket;

        /// <summary>Sockets that it asked for, with their times.</summary>
        public List<TimeSpan> Sockets { get; } = [];

        public Connection Connection { get; } = Of(pair, isInitiator, seed, settings with { IdleTimeout = TimeSpan.Zero });

        public bool IsA => isInitiator;

        public Side Other { get; set; } = null!;

        public long Received { get; private set; }

        public Dictionary<IPEndPoint, int> SentTo { get; } = [];

        /// <summary>Bytes on one stream, as fast as they are taken.</summary>
        public void Write(long bytes)
        {
            _toWrite += bytes;
            Work();
        }

        public KnownPath? Path(IPEndPoint address) => Connection.Paths.All.FirstOrDefault(path => path.Address.Equals(address));

        public void Work()
        {
            Connection.HandleTimeout(pair.Now);
            WriteMore();
            while (Connection.TryReadEvent(out ConnectionEvent happened))
            {
                int count;
                while (happened.Kind == ConnectionEventKind.StreamReadable && (count = Connection.Streams.Read(happened.Stream!, pair._buffer, pair.Now)) > 0)
                {
                    Received += count;
                }

                if (happened.Kind == ConnectionEventKind.SocketWanted)
                {
                    Sockets.Add(pair.Now);
                    Connection.TakeSocket(++_socket, pair.Now);
                }

                if (happened.Kind == ConnectionEventKind.StreamWritable)
                {
                    happened.Stream!.IsWritableRaised = false;
                    WriteMore();
                }
            }

            int length;
            while ((length = Connection.PollTransmit(pair._buffer, pair.Now)) > 0)
            {
                pair.Transmit(this, pair._buffer.AsSpan(0, length), Connection.Destination);
            }
        }

        private void WriteMore()
        {
            if (_toWrite > 0 && Connection.IsOpen && (_stream is not null || Connection.Streams.TryOpen(StreamClass.Ordinary, out _stream)))
            {
                int written;
                while (_toWrite > 0 && (written = Connection.Streams.Write(_stream!, new byte[Math.Min(_toWrite, 16_384)])) > 0)
                {
                    _toWrite -= written;
                }
            }
        }

        private static Connection Of(WaysPair pair, bool isInitiator, int seed, ConnectionSettings settings)
        {
            IPEndPoint remote = isInitiator ? pair.Ways[0].B : pair.Ways[0].Nat?.Out(0, TestSessions.Start) ?? pair.Ways[0].A;
            EstablishedSession session = TestSessions.Of(isInitiator, TransportParameters.Of(settings), remoteAddress: remote);
            return new Connection(session, settings, MtuSettings.Fixed(1200), TestSessions.Start, new SeededEntropy((2 * seed) + (isInitiator ? 0 : 1)));
        }
    }
}
