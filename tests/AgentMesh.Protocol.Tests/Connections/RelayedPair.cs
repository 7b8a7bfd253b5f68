using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Two connections behind NATs that begin over a relay, and a clock that only moves when there is nothing left to do. The same seed gives the same bytes.</summary>
internal sealed class RelayedPair : IDisposable
{
    private static readonly IPEndPoint Beacon = IPEndPoint.Parse("203.0.113.10:14592");

    private readonly Random _random;
    private readonly PriorityQueue<(Side To, byte[] Datagram, IPEndPoint From), (TimeSpan At, long Order)> _flying = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly double _loss;
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _plans = new();
    private long _order;

    public RelayedPair(NatType a, NatType b, int seed, double loss = 0, TimeSpan? delay = null, bool bAsks = true)
        : this(random => new SimNat(a, IPAddress.Parse("203.0.113.1"), random), random => new SimNat(b, IPAddress.Parse("203.0.113.2"), random), seed, loss, delay, bAsks)
    {
    }

    public RelayedPair(Func<Random, SimNat> a, Func<Random, SimNat> b, int seed, double loss = 0, TimeSpan? delay = null, bool bAsks = true)
        : this(random => new SimHome(a(random)), random => new SimHome(b(random)), seed, loss, delay, bAsks)
    {
    }

    public RelayedPair(Func<Random, SimHome> a, Func<Random, SimHome> b, int seed, double loss = 0, TimeSpan? delay = null, bool bAsks = true)
    {
        _random = new Random(seed);
        _loss = loss;
        Delay = delay ?? TimeSpan.FromMilliseconds(20);
        A = new Side(this, isInitiator: true, a(_random), new SeededEntropy(2 * seed));
        B = new Side(this, isInitiator: false, b(_random), bAsks ? new SeededEntropy((2 * seed) + 1) : null);
        (A.Other, B.Other) = (B, A);
        A.SetRelay(A.RelayAddress);
        B.SetRelay(B.RelayAddress);
    }

    public Side A { get; }

    public Side B { get; }

    public TimeSpan Delay { get; set; }

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    public bool IsRelayCut { get; set; }

    public bool IsDirectCut { get; set; }

    /// <summary>Both are in one network, behind one box.</summary>
    public bool AreNeighbours { get; init; }

    /// <summary>Datagrams that left for an address, the relay's aside.</summary>
    public Dictionary<IPEndPoint, int> Sent { get; } = [];

    /// <summary>How many were sent so far.</summary>
    public long Datagrams => _order;

    /// <summary>Datagrams that did not leave, since their device has no address of that family.</summary>
    public int Refused { get; private set; }

    public bool AreDirect => A.IsDirect && B.IsDirect;

    /// <summary>What links do: both tell each other where beacons see them, and begin together.</summary>
    public void Punch(params IPEndPoint[] further)
    {
        A.Connection.Search.Probe([B.Nat.Out(Beacon), .. further], Now + Delay);
        B.Connection.Search.Probe([A.Nat.Out(Beacon), .. further], Now + (2 * Delay));
    }

    /// <summary>Something that happens by itself at its time.</summary>
    public void At(TimeSpan at, Action action) => _plans.Enqueue(action, (at, _order++));

    public void Run(TimeSpan time)
    {
        TimeSpan end = Now + time;
        Until(() => false, end);
        Now = end;
    }

    /// <returns>How long it took; null when it did not happen in time.</returns>
    public TimeSpan? Until(Func<bool> reached, TimeSpan end)
    {
        TimeSpan start = Now;
        end = end < Now ? Now + end : end;
        Work();
        while (!reached())
        {
            TimeSpan timer = Min(A.Connection.NextTimeout(), B.Connection.NextTimeout());
            TimeSpan next = _flying.TryPeek(out _, out (TimeSpan At, long) first) ? Min(first.At, timer) : timer;
            next = _plans.TryPeek(out _, out (TimeSpan At, long) plan) ? Min(plan.At, next) : next;
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

            while (_plans.TryPeek(out _, out plan) && plan.At <= Now)
            {
                _plans.Dequeue()();
            }

            Work();
            Assert.True(_order < 200_000, $"{_order} datagrams after {Now - TestSessions.Start}");
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

    private void Transmit(Side from, Span<byte> datagram, IPEndPoint to)
    {
        bool isRelayed = RelayAddress.IsRelay(to);
        if (!isRelayed)
        {
            Sent[to] = Sent.GetValueOrDefault(to) + 1;
        }

        if (isRelayed)
        {
            Fly(from.Other, datagram, from.Other.RelayAddress, 2 * Delay, !IsRelayCut && to.Equals(from.RelayAddress));
            return;
        }

        bool isSpare = SpareAddress.TryRead(to, out ushort socket, out IPEndPoint plain);
        if (AreNeighbours && plain.Equals(from.Other.AtHome))
        {
            Fly(from.Other, datagram, from.AtHome, TimeSpan.FromMilliseconds(1), arrives: true);
            return;
        }

        if (from.Home.BoxOf(plain.Address) is not { } box)
        {
            Refused++;
            return;
        }

        IPEndPoint seen = isSpare ? box.Out(socket, plain) : box.Out(plain);

        // A box that does not hairpin drops what is for its own outside.
        int? taker = from.Other.Home.BoxOf(plain.Address) is { } gate && plain.Address.Equals(gate.Outside) && !AreNeighbours ? gate.Find(plain.Port, seen) : null;
        Fly(from.Other, datagram, taker is >= 0 and int spare ? SpareAddress.Of((ushort)spare, seen) : seen, Delay, !IsDirectCut && taker is not null);
    }

    private void Fly(Side to, Span<byte> datagram, IPEndPoint seen, TimeSpan time, bool arrives)
    {
        if (arrives && _random.NextDouble() >= _loss)
        {
            _flying.Enqueue((to, datagram.ToArray(), seen), (Now + time, _order++));
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    internal sealed class Side(RelayedPair pair, bool isInitiator, SimHome home, SeededEntropy? entropy)
    {
        private readonly Dictionary<ProtocolStream, long> _read = [];

        public Connection Connection { get; } = Of(isInitiator, entropy);

        public SimHome Home => home;

        /// <summary>Of a device that has IPv4.</summary>
        public SimNat Nat => home.Ipv4!;

        public Side Other { get; set; } = null!;

        public IPEndPoint RelayAddress { get; set; } = RelayOf(isInitiator);

        /// <summary>In its own network.</summary>
        public IPEndPoint AtHome { get; } = new(IPAddress.Parse("192.168.1.2"), isInitiator ? 14_592 : 14_593);

        public bool IsDirect => !Relaying.RelayAddress.IsRelay(Connection.Remote);

        public long Received => _read.Values.Sum();

        /// <summary>A beacon's; null for none.</summary>
        public void SetRelay(IPEndPoint? relay) => Connection.SetRelays(relay is null ? [] : [new RelayWay(relay, IsByPeer: false)], pair.Now);

        public void Write(int bytes)
        {
            Assert.True(Connection.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
            Assert.Equal(bytes, Connection.Streams.Write(stream!, new byte[bytes]));
            Work();
        }

        public void Work()
        {
            Connection.HandleTimeout(pair.Now);
            while (Connection.TryReadEvent(out ConnectionEvent happened))
            {
                if (happened.Kind == ConnectionEventKind.StreamReadable)
                {
                    int count;
                    while ((count = Connection.Streams.Read(happened.Stream!, pair._buffer, pair.Now)) > 0)
                    {
                        _read[happened.Stream!] = _read.GetValueOrDefault(happened.Stream!) + count;
                    }
                }
            }

            int length;
            while ((length = Connection.PollTransmit(pair._buffer, pair.Now)) > 0)
            {
                pair.Transmit(this, pair._buffer.AsSpan(0, length), Connection.Destination);
            }
        }

        private static IPEndPoint RelayOf(bool isInitiator) => Relaying.RelayAddress.Of(isInitiator ? 0xaaaaUL : 0xbbbbUL);

        private static Connection Of(bool isInitiator, SeededEntropy? entropy)
        {
            var settings = new ConnectionSettings { KeepAlive = TimeSpan.FromSeconds(2), PeerTimeout = TimeSpan.FromSeconds(8), IdleTimeout = TimeSpan.Zero };
            EstablishedSession session = TestSessions.Of(isInitiator, TransportParameters.Of(settings), remoteAddress: RelayOf(isInitiator));
            return new Connection(session, settings, new MtuSettings(), TestSessions.Start, entropy);
        }
    }
}
