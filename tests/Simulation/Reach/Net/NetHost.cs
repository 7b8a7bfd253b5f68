using System.Net;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Connections;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Tests.Handshake;

namespace Simulation.Reach.Net;

/// <summary>
/// A device or beacon: what an endpoint does with the protocol's state machines, without sockets and threads. It stands at one or more places, each an outside address behind
/// a box of some kind; its clock stands still while it sleeps.
/// </summary>
internal abstract class NetHost : IDisposable
{
    public const int Port = 14_592;

    private readonly Dictionary<ConnectionId, Connection> _byId = [];
    private readonly Dictionary<ConnectionId, Connection> _byRemoteId = [];
    private readonly byte[] _buffer = new byte[65_536];
    private readonly List<Action> _missed = [];
    private TimeSpan _slept;
    private TimeSpan? _asleepSince;
    private TimeSpan _freeAt;
    private HandshakeEndpoint _handshakes;

    protected NetHost(SimInternet net, int seed, params SimNat[] places)
    {
        Net = net;
        Seed = seed;
        Places = [.. places];
        Identity = DeviceIdentity.Create(new SeededEntropy(seed));
        Entropy = new SeededEntropy(seed + 1);
        _handshakes = NewHandshakes();
        net.Add(this);
    }

    public SimInternet Net { get; }

    public DeviceIdentity Identity { get; }

    public DeviceId Id => Identity.Id;

    public TestAdmission Admission { get; } = new();

    public IReadOnlyList<SimNat> Places { get; set; }

    /// <summary>Always reachable, as servers are: no box stands before them.</summary>
    public IReadOnlyList<IPAddress> Public { get; init; } = [];

    /// <summary>Its addresses on local networks, as its system tells them.</summary>
    public IReadOnlyList<SimInterface> Interfaces { get; set; } = [];

    /// <summary>To the middle of the internet.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Bits a second that leave it, and bytes that wait for that.</summary>
    public double Rate { get; init; } = 1e6;

    public int QueueBytes { get; init; } = 24 * 1024;

    /// <summary>A process listens.</summary>
    public bool IsRunning { get; protected set; } = true;

    public bool IsAsleep => _asleepSince is not null;

    /// <summary>Its own clock.</summary>
    public TimeSpan Now => (_asleepSince ?? Net.Now) - _slept;

    public IEnumerable<Connection> Connections => _byId.Values;

    protected int Seed { get; }

    protected IEntropy Entropy { get; }

    protected ConnectionSettings Settings { get; init; } = new();

    private MeshInstant Instant => new(Now, Net.WallNow);

    public TimeSpan NextWakeUp
    {
        get
        {
            if (IsAsleep || !IsRunning)
            {
                return TimeSpan.MaxValue;
            }

            TimeSpan next = _handshakes.NextWakeUp ?? TimeSpan.MaxValue;
            foreach (Connection connection in _byId.Values)
            {
                TimeSpan wake = connection.NextTimeout();
                next = wake < next ? wake : next;
            }

            return next == TimeSpan.MaxValue ? next : next + _slept;
        }
    }

    public bool IsAt(IPAddress address) => Public.Contains(address) || Places.Any(place => place.Outside.Equals(address));

    /// <summary>Where a datagram seems to come from; null when nothing leads there.</summary>
    public IPEndPoint? Leave(IPEndPoint to) =>
        Public.FirstOrDefault(each => each.AddressFamily == to.AddressFamily) is { } address
            ? new IPEndPoint(address, Port)
            : Places.FirstOrDefault(place => place.Outside.AddressFamily == to.AddressFamily)?.Out(to);

    /// <returns>When it has left; null where it found no room.</returns>
    public TimeSpan? Queue(int bytes, TimeSpan now)
    {
        TimeSpan start = _freeAt > now ? _freeAt : now;
        if ((start - now).TotalSeconds * Rate / 8 > QueueBytes)
        {
            return null;
        }

        return _freeAt = start + TimeSpan.FromSeconds(bytes * 8 / Rate);
    }

    public void Arrive(byte[] datagram, IPEndPoint from, IPEndPoint to)
    {
        bool isLetIn = Public.Contains(to.Address) ? to.Port == Port : Places.FirstOrDefault(place => place.Outside.Equals(to.Address))?.LetsIn(to.Port, from) == true;
        if (isLetIn && !IsAsleep && IsRunning)
        {
            Handle(datagram, from);
        }
    }

    /// <summary>No box stands between hosts of one link.</summary>
    public void ArriveOnLink(byte[] datagram, IPEndPoint from, IPEndPoint to)
    {
        if (to.Port == Port && !IsAsleep && IsRunning)
        {
            Handle(datagram, from);
        }
    }

    /// <summary>On the port of announcements.</summary>
    public virtual void HearMulticast(byte[] datagram, IPAddress from)
    {
    }

    public void Sleep() => _asleepSince = Net.Now;

    public void Wake()
    {
        _slept += Net.Now - _asleepSince!.Value;
        _asleepSince = null;
        Action[] missed = [.. _missed];
        _missed.Clear();
        Array.ForEach(missed, action => action());
    }

    /// <summary>A timer of this host: what became due while it slept happens when it wakes up.</summary>
    protected void After(TimeSpan delay, Action action) => Net.After(delay, () =>
    {
        if (IsAsleep)
        {
            _missed.Add(action);
        }
        else
        {
            action();
        }
    });

    public void Dial(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, TimeSpan? repeatMax = null)
    {
        _handshakes.Cancel(key);
        _handshakes.TryConnect(key, addresses, default, Instant, repeatMax);
        Work();
    }

    /// <summary>As <see cref="Dial"/>, but addresses are added to an attempt that is under way.</summary>
    public void Open(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, TimeSpan? repeatMax = null)
    {
        _handshakes.TryConnect(key, addresses, default, Instant, repeatMax);
        Work();
    }

    public void GiveUp(DevicePublicKey key) => _handshakes.Cancel(key);

    /// <summary>Everything that can be done at this moment.</summary>
    public virtual void Work()
    {
        if (IsAsleep || !IsRunning)
        {
            return;
        }

        _handshakes.HandleTimeout(Instant);
        Shake();
        foreach (Connection connection in _byId.Values.ToArray())
        {
            connection.HandleTimeout(Now);
            Use(connection);
        }
    }

    /// <summary>The process is gone, and with it everything that it knew.</summary>
    public virtual void Kill()
    {
        foreach (Connection connection in _byId.Values)
        {
            connection.Dispose();
        }

        _byId.Clear();
        _byRemoteId.Clear();
        _handshakes.Dispose();
        _handshakes = NewHandshakes();
    }

    public void Dispose() => Kill();

    protected abstract void Established(Connection connection, EstablishedSession session);

    protected abstract void Ended(Connection connection);

    protected virtual void NotConnected(DevicePublicKey key)
    {
    }

    protected abstract void Happened(Connection connection, ConnectionEvent happened);

    /// <summary>Whatever the program has to write to the connection.</summary>
    protected virtual void Write(Connection connection)
    {
    }

    /// <summary>A datagram in the envelope of relays.</summary>
    protected abstract void HandleRelayed(byte[] datagram, IPEndPoint from);

    /// <summary>Sends to an address, or what stands for one.</summary>
    protected virtual void Send(ReadOnlySpan<byte> datagram, IPEndPoint to) => Net.Send(this, datagram, to);

    protected void Handle(Span<byte> datagram, IPEndPoint from)
    {
        switch (Datagrams.KindOf(datagram))
        {
            case DatagramKind.Relayed or DatagramKind.RelayNotice:
                HandleRelayed(datagram.ToArray(), from);
                break;
            case DatagramKind.Packet:
                HandlePacket(datagram, from);
                break;
            case DatagramKind.Reset:
                HandleReset(datagram);
                break;
            default:
                _handshakes.HandleDatagram(datagram, from, Instant);
                Shake();
                break;
        }
    }

    private void HandlePacket(Span<byte> datagram, IPEndPoint from)
    {
        if (!PacketLayout.TryReadDestination(datagram, out ConnectionId id))
        {
            return;
        }

        if (!_byId.TryGetValue(id, out Connection? connection))
        {
            _handshakes.TryConfirm(datagram, from, Instant);
            Shake();
        }

        if (connection is not null || _byId.TryGetValue(id, out connection))
        {
            connection.HandleDatagram(datagram, from, Now);
            Use(connection);
        }
    }

    private void HandleReset(ReadOnlySpan<byte> datagram)
    {
        if (ResetMessage.TryRead(datagram, out ConnectionId id, out ReadOnlySpan<byte> token) && _byRemoteId.TryGetValue(id, out Connection? connection))
        {
            connection.HandleReset(token);
            Use(connection);
        }
    }

    private void Use(Connection connection)
    {
        do
        {
            Take(connection);
            if (connection.IsOpen)
            {
                Write(connection);
            }

            int length;
            while ((length = connection.PollTransmit(_buffer, Now)) > 0)
            {
                Send(_buffer.AsSpan(0, length), connection.Destination);
            }
        }
        while (Take(connection));
        if (connection.IsDrained && _byId.FirstOrDefault(each => ReferenceEquals(each.Value, connection)) is { Value: not null } gone)
        {
            _byId.Remove(gone.Key);
            foreach (ConnectionId remote in _byRemoteId.Where(each => ReferenceEquals(each.Value, connection)).Select(each => each.Key).ToArray())
            {
                _byRemoteId.Remove(remote);
            }

            connection.Dispose();
        }
    }

    private bool Take(Connection connection)
    {
        bool any = false;
        while (connection.TryReadEvent(out ConnectionEvent happened))
        {
            any = true;
            if (happened.Kind == ConnectionEventKind.Closed)
            {
                Ended(connection);
            }
            else
            {
                Happened(connection, happened);
            }
        }

        return any;
    }

    private void Shake()
    {
        while (_handshakes.TryReadEvent(out HandshakeEvent? happened))
        {
            if (happened is SessionEstablished { Session: var session })
            {
                var connection = new Connection(session, Settings, new MtuSettings(), Now, Entropy);
                _byId.Add(session.LocalConnectionId, connection);
                _byRemoteId[session.RemoteConnectionId] = connection;
                Established(connection, session);
                Use(connection);
            }
            else if (happened is AttemptFailed failed)
            {
                NotConnected(failed.RemoteKey);
            }
        }

        while (_handshakes.TryTransmit(_buffer, out HandshakeTransmit transmit))
        {
            Send(_buffer.AsSpan(0, transmit.Length), transmit.To);
        }
    }

    private HandshakeEndpoint NewHandshakes()
    {
        byte[] parameters = new byte[TransportParameters.Size];
        TransportParameters.Of(Settings).Write(parameters);
        return new HandshakeEndpoint(Identity, Admission, new HandshakeSettings(), new InitiationStamps(0, null), parameters, Entropy);
    }
}
