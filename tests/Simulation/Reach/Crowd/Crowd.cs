using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Tests.Handshake;

namespace Simulation.Reach;

/// <summary>
/// One device in the middle and many around it, each with a handshake of its own and then a connection, on one clock. Only who has something to do is woken,
/// so a thousand that rest cost nothing.
/// </summary>
internal sealed class Crowd : IDisposable
{
    private static readonly IPEndPoint Middle = IPEndPoint.Parse("203.0.113.10:14592");
    private static readonly DateTimeOffset Wall = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // As a beacon's client.
    private static readonly TimeSpan AttemptTimeout = new BeaconClientSettings().ConnectTimeout;

    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _plans = new();
    private readonly byte[] _buffer = new byte[65_536];
    private readonly DeviceIdentity _identity;
    private readonly TestAdmission _admission = new();
    private readonly ReconnectPace _pace = new(new BeaconClientSettings().RetryMin, new BeaconClientSettings().RetryMax);
    private readonly Random _random;
    private readonly int _seed;
    private readonly Dictionary<ConnectionId, Member> _byId = [];
    private readonly Dictionary<IPEndPoint, Member> _byPlace = [];
    private HandshakeEndpoint? _middle;
    private long _order;
    private int _lives;

    public Crowd(int seed, IReadOnlyList<DeviceIdentity> known, int members)
    {
        (_seed, _random) = (seed, new Random(seed));
        _identity = DeviceIdentity.Create(new SeededEntropy(seed));
        _admission.Admitted.UnionWith(known.Select(identity => identity.PublicKey));
        Members = [.. known.Take(members).Select((identity, number) => new Member(this, identity, number))];
        foreach (Member member in Members)
        {
            _byPlace.Add(member.Place, member);
        }
    }

    public IReadOnlyList<Member> Members { get; }

    public TimeSpan Now { get; private set; } = TestSessions.Start;

    public MeshInstant Instant => new(Now, Wall + (Now - TestSessions.Start));

    public DevicePublicKey Key => _identity.PublicKey;

    public long Datagrams { get; private set; }

    /// <summary>Times at which a connection had to be woken.</summary>
    public long Wakeups { get; private set; }

    /// <summary>Initiations that reached the one in the middle.</summary>
    public int Initiations { get; private set; }

    public bool IsUp => _middle is not null;

    public int Connected => Members.Count(member => member.IsConnected);

    /// <summary>It begins, with nothing of what it knew before.</summary>
    public void Start() => _middle = new HandshakeEndpoint(_identity, _admission, new HandshakeSettings(), new InitiationStamps(0, null), Parameters, new SeededEntropy(_seed + (1_000_000 * ++_lives)));

    /// <summary>It is gone; all notice it at once, as when it says goodbye.</summary>
    public void Stop()
    {
        _middle?.Dispose();
        _middle = null;
        foreach (Member member in Members)
        {
            member.Lost();
        }
    }

    public void At(TimeSpan at, Action action) => _plans.Enqueue(action, (at, _order++));

    /// <returns>How long it took; null when it did not happen in time.</returns>
    public TimeSpan? Until(Func<bool> reached, TimeSpan time)
    {
        TimeSpan start = Now, end = Now + time;
        while (!reached())
        {
            if (!_plans.TryPeek(out _, out (TimeSpan At, long) next) || next.At > end)
            {
                Now = end;
                return reached() ? Now - start : null;
            }

            Now = next.At > Now ? next.At : Now;
            _plans.Dequeue()();
        }

        return Now - start;
    }

    public void Dispose()
    {
        _middle?.Dispose();
        foreach (Member member in Members)
        {
            member.Dispose();
        }
    }

    private static byte[] Parameters
    {
        get
        {
            byte[] bytes = new byte[TransportParameters.Size];
            TransportParameters.Of(Settings).Write(bytes);
            return bytes;
        }
    }

    private static ConnectionSettings Settings { get; } = new() { IdleTimeout = TimeSpan.Zero };

    private void ToMiddle(Member from, byte[] datagram)
    {
        if (_middle is not { } middle)
        {
            return;
        }

        if (KindOf(datagram) == DatagramKind.Packet)
        {
            if (PacketLayout.TryReadDestination(datagram, out ConnectionId id) && _byId.TryGetValue(id, out Member? owner))
            {
                owner.Near?.Take(datagram, from.Place);
            }
            else if (middle.TryConfirm(datagram, from.Place, Instant))
            {
                TakeEvents(middle);
                if (_byId.TryGetValue(id, out owner))
                {
                    owner.Near?.Take(datagram, from.Place);
                }
            }

            return;
        }

        Initiations += KindOf(datagram) == DatagramKind.Initiation ? 1 : 0;
        middle.HandleDatagram(datagram, from.Place, Instant);
        while (middle.TryTransmit(_buffer, out HandshakeTransmit answer))
        {
            byte[] bytes = _buffer[..answer.Length];
            if (_byPlace.TryGetValue(answer.To, out Member? to))
            {
                Fly(to.Delay, () => to.Take(bytes));
            }
        }
    }

    private static DatagramKind KindOf(byte[] datagram) => AgentMesh.Protocol.Packets.Datagrams.KindOf(datagram);

    private void TakeEvents(HandshakeEndpoint middle)
    {
        while (middle.TryReadEvent(out HandshakeEvent? happened))
        {
            if (happened is SessionEstablished { Session: var session } && Members.FirstOrDefault(member => member.Identity.PublicKey == session.RemoteKey) is { } member)
            {
                member.Near?.Dispose();
                member.Near = new End(this, session, isNear: true, member);
                _byId[session.LocalConnectionId] = member;
            }
        }
    }

    private void Fly(TimeSpan delay, Action arrive)
    {
        Datagrams++;
        At(Now + delay, arrive);
    }

    /// <summary>A connection at one of its ends.</summary>
    internal sealed class End(Crowd crowd, EstablishedSession session, bool isNear, Member member) : IDisposable
    {
        private readonly Connection _connection = new(session, Settings, MtuSettings.Fixed(1200), crowd.Now);
        private TimeSpan _wakeAt = TimeSpan.MaxValue;
        private ProtocolStream? _stream;
        private bool _isOver;

        public ConnectionId Id => session.LocalConnectionId;

        public bool IsOpen => !_isOver && _connection.IsOpen;

        public long Received { get; private set; }

        public void Take(byte[] datagram, IPEndPoint from)
        {
            if (!_isOver)
            {
                _connection.HandleDatagram([.. datagram], from, crowd.Now);
                Work();
            }
        }

        public void Send(int bytes)
        {
            if (_stream is not null || _connection.Streams.TryOpen(StreamClass.Ordinary, out _stream))
            {
                _connection.Streams.Write(_stream!, new byte[bytes]);
                Work();
            }
        }

        public void Work()
        {
            _connection.HandleTimeout(crowd.Now);
            while (_connection.TryReadEvent(out ConnectionEvent happened))
            {
                int count;
                while (happened.Kind == ConnectionEventKind.StreamReadable && (count = _connection.Streams.Read(happened.Stream!, crowd._buffer, crowd.Now)) > 0)
                {
                    Received += count;
                }
            }

            int length;
            while ((length = _connection.PollTransmit(crowd._buffer, crowd.Now)) > 0)
            {
                byte[] bytes = crowd._buffer[..length];
                crowd.Fly(member.Delay, isNear ? () => member.Take(bytes) : () => crowd.ToMiddle(member, bytes));
            }

            TimeSpan next = _connection.NextTimeout();
            if (next < _wakeAt && next != TimeSpan.MaxValue)
            {
                _wakeAt = next;
                crowd.At(next, Wake);
            }
        }

        public void Dispose()
        {
            _isOver = true;
            _connection.Dispose();
        }

        private void Wake()
        {
            if (_isOver || crowd.Now < _wakeAt)
            {
                return;
            }

            _wakeAt = TimeSpan.MaxValue;
            crowd.Wakeups++;
            Work();
        }
    }

    /// <summary>A device around.</summary>
    internal sealed class Member : IDisposable
    {
        private readonly Crowd _crowd;
        private readonly int _number;
        private HandshakeEndpoint? _endpoint;
        private TimeSpan _lostAt;
        private TimeSpan _giveUpAt;

        public Member(Crowd crowd, DeviceIdentity identity, int number)
        {
            (_crowd, _number, Identity) = (crowd, number, identity);
            Place = new IPEndPoint(new IPAddress([10, 0, (byte)(number >> 8), (byte)number]), 14592);
            Delay = TimeSpan.FromMilliseconds(2 + crowd._random.Next(40));
        }

        public DeviceIdentity Identity { get; }

        public IPEndPoint Place { get; }

        public TimeSpan Delay { get; }

        /// <summary>At the one in the middle.</summary>
        public End? Near { get; set; }

        public End? Far { get; private set; }

        public bool IsConnected => Far is { IsOpen: true } && Near is { IsOpen: true };

        public int Attempts { get; private set; }

        public TimeSpan ConnectedAt { get; private set; }

        public void Connect()
        {
            if (IsConnected || _endpoint is not null)
            {
                return;
            }

            Attempts++;
            _giveUpAt = _crowd.Now + AttemptTimeout;
            _endpoint = new HandshakeEndpoint(
                Identity, _crowd._admission, new HandshakeSettings(), new InitiationStamps((ulong)(_crowd.Now.Ticks * 1_000), null), Parameters, new SeededEntropy(_crowd._seed + (1_000 * _number) + (31 * Attempts)));
            _endpoint.TryConnect(_crowd.Key, [Middle], default, _crowd.Instant, ReconnectPace.Knock(_crowd.Now - _lostAt, new BeaconClientSettings().Knock, AttemptTimeout));
            Pump();
        }

        /// <summary>As the client of a beacon does it.</summary>
        public void Lost()
        {
            Forget();
            _lostAt = _crowd.Now;
            _crowd.At(_crowd.Now + _crowd._pace.First(_crowd._random.NextDouble()), Connect);
        }

        public void Take(byte[] datagram)
        {
            if (KindOf(datagram) == DatagramKind.Packet)
            {
                Far?.Take(datagram, Middle);
                return;
            }

            _endpoint?.HandleDatagram(datagram, Middle, _crowd.Instant);
            Pump();
        }

        public void Dispose()
        {
            Forget();
            _endpoint?.Dispose();
        }

        private void Forget()
        {
            if (Near is not null)
            {
                _crowd._byId.Remove(Near.Id);
            }

            Near?.Dispose();
            Far?.Dispose();
            (Near, Far) = (null, null);
        }

        private void Pump()
        {
            if (_endpoint is not { } endpoint)
            {
                return;
            }

            if (_crowd.Now >= _giveUpAt)
            {
                endpoint.Dispose();
                _endpoint = null;
                _crowd.At(_crowd.Now + _crowd._pace.Next(_crowd.Now - _lostAt, AttemptTimeout, _crowd._random.NextDouble()), Connect);
                return;
            }

            endpoint.HandleTimeout(_crowd.Instant);
            while (endpoint.TryTransmit(_crowd._buffer, out HandshakeTransmit transmit))
            {
                byte[] bytes = _crowd._buffer[..transmit.Length];
                _crowd.Fly(Delay, () => _crowd.ToMiddle(this, bytes));
            }

            while (endpoint.TryReadEvent(out HandshakeEvent? happened))
            {
                if (happened is SessionEstablished { Session: var session })
                {
                    Far = new End(_crowd, session, isNear: false, this);
                    ConnectedAt = _crowd.Now;
                    _endpoint = null;
                    Far.Work();
                    endpoint.Dispose();
                    return;
                }
            }

            TimeSpan next = endpoint.NextWakeUp is { } wake && wake < _giveUpAt ? wake : _giveUpAt;
            _crowd.At(next > _crowd.Now ? next : _crowd.Now + TimeSpan.FromMilliseconds(1), () =>
            {
                if (ReferenceEquals(_endpoint, endpoint))
                {
                    Pump();
                }
            });
        }
    }
}
