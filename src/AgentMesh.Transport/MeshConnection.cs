using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;
using AgentMesh.Transport.Relaying;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport;

/// <summary>A connection of a <see cref="MeshEndpoint"/>: the protocol's state machine under a lock, and what waits for it.</summary>
public sealed class MeshConnection : IMeshConnection
{
    // What fits into one send; and what goes out at once at most.
    private const int BatchBytesMax = 65_507;

    // Relays that nobody told of, with those that are known.
    private const int RelaysLearnedMax = 3;

    // As long as a socket is kept that no path leads over.
    private static readonly TimeSpan SpareTime = TimeSpan.FromSeconds(30);

    [ThreadStatic]
    private static byte[]? t_datagrams;

    private readonly Lock _gate = new();
    private readonly MeshEndpoint _endpoint;
    private readonly EstablishedSession _session;
    private readonly Connection _connection;
    private readonly ConnectionTimer _timer;
    private readonly ConnectionWaits _waits;
    private readonly PathCalls _paths;
    private SerializedAddress _sendTo;
    private IPEndPoint _remote;
    private IReadOnlyList<RelayWay> _relays = [];
    private bool _released;

    internal MeshConnection(MeshEndpoint endpoint, EstablishedSession session, ConnectionSettings settings, MtuSettings mtu)
    {
        _endpoint = endpoint;
        _session = session;
        RemoteId = endpoint.ListedAs(session.RemoteKey.Id);
        _connection = new Connection(session, settings, mtu, endpoint.Now.Monotonic, endpoint.Entropy, endpoint.SendLimit.Open(), endpoint.ReceiveLimit.Open());
        _sendTo = new SerializedAddress(session.RemoteAddress);
        _remote = session.RemoteAddress;
        _timer = new ConnectionTimer(endpoint.Time, OnTimer);
        StreamCalls = new StreamCalls(_connection, _gate, Pump, () => Now, RemoteId);
        _waits = new ConnectionWaits(StreamCalls);
        _paths = new PathCalls(endpoint, _connection, _gate, Pump, _waits);
    }

    /// <summary>Packets go another way now: <see cref="Path"/>. Raised on a thread of the pool.</summary>
    public event Action<MeshConnection>? PathChanged;

    public DevicePublicKey RemoteKey => _session.RemoteKey;

    public DeviceId RemoteId { get; }

    public bool IsInitiator => _session.IsInitiator;

    /// <summary>The invitation that this connection used up; none between devices that know each other.</summary>
    public InvitationId Invitation => _session.Invitation;

    public Task<ConnectionEnd> Closed => _waits.Closed;

    public MeshPathInfo Path => _paths.InUse;

    public IReadOnlyList<MeshPathState> Paths => _paths.All;

    /// <summary>Where the other side sees this device; null where it does not tell, or was never reached directly.</summary>
    public IPEndPoint? SeenAt => _paths.SeenAt;

    /// <inheritdoc cref="MeshEndpoint.PortSilence"/>
    internal TimeSpan? PortSilence
    {
        set => _paths.Heed(value);
    }

    /// <inheritdoc cref="Connection.SilenceMax"/>
    public TimeSpan? SilenceMax
    {
        get
        {
            lock (_gate)
            {
                return _connection.SilenceMax;
            }
        }

        set
        {
            lock (_gate)
            {
                _connection.SilenceMax = value;
                Pump();
            }
        }
    }

    /// <summary>What its streams do.</summary>
    internal StreamCalls StreamCalls { get; }

    internal EstablishedSession Session => _session;

    internal ConnectionId LocalConnectionId => _session.LocalConnectionId;

    /// <summary>Where the other side is, without waiting for the connection.</summary>
    internal IPEndPoint Remote => Volatile.Read(ref _remote);

    /// <summary>Datagrams that belong to this connection's other side come from here: from where it is, or over the tunnel beside it.</summary>
    internal bool IsAt(IPEndPoint address) => address.Equals(Remote) || Volatile.Read(ref _relays).Any(relay => address.Equals(relay.Address));

    /// <summary>One of its paths leads over this spare socket.</summary>
    internal bool UsesSocket(ushort socket)
    {
        lock (_gate)
        {
            return !_released && _connection.UsesSocket(socket);
        }
    }

    internal bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _connection.IsOpen;
            }
        }
    }

    /// <summary>What both people compare while pairing. Takes about a tenth of a second.</summary>
    public CheckDigits ComputeCheckDigits() => _session.ComputeCheckDigits();

    public async ValueTask<IMeshStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task mayOpen;
            lock (_gate)
            {
                StreamCalls.ThrowIfEnded();
                if (_connection.Streams.TryOpen((StreamClass)priority, out ProtocolStream? opened))
                {
                    return new MeshStream(StreamCalls, opened!);
                }

                mayOpen = _waits.MayOpen(priority);
            }

            await mayOpen.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask<IMeshStream?> AcceptStreamAsync(CancellationToken cancellationToken) => _waits.AcceptAsync(cancellationToken);

    public ValueTask<TimeSpan?> MeasureAsync(MeshPathState path, CancellationToken cancellationToken) => _paths.MeasureAsync(path, cancellationToken);

    public ValueTask CloseAsync(ulong code, string reason)
    {
        Close(Math.Min(code, CloseCodes.ApplicationMax), reason);
        return ValueTask.CompletedTask;
    }

    internal void Close(ulong code, string reason)
    {
        lock (_gate)
        {
            _connection.Close(code, reason, Now);
            Pump();
        }
    }

    internal void EndWithoutAWord(ConnectionEnding end)
    {
        lock (_gate)
        {
            _connection.EndWithoutAWord(end);
            Pump();
        }
    }

    /// <summary>Looks for direct paths at these addresses, where the other side may be, from after <paramref name="delay"/> on.</summary>
    public void Probe(IEnumerable<IPEndPoint> candidates, TimeSpan delay) => _paths.Probe(candidates, delay);

    /// <summary>As <see cref="Probe"/>, at addresses that this device knows by itself: they may be asked again and again.</summary>
    public void ProbeOwn(IEnumerable<IPEndPoint> addresses) => _paths.ProbeOwn(addresses);

    /// <summary>Tries these addresses in this order, 100 a second and 2,048 in 10 minutes at most: only where the host is known to be the other side's. Without effect on a direct path.</summary>
    public void Guess(IEnumerable<IPEndPoint> targets, TimeSpan delay) => _paths.Guess(targets, delay);

    /// <summary>The relays there are: taken when no direct path works.</summary>
    internal void SetRelays(IReadOnlyList<RelayWay> relays)
    {
        lock (_gate)
        {
            Volatile.Write(ref _relays, relays);
            _connection.SetRelays(relays, Now);
            Pump();
        }
    }

    /// <inheritdoc cref="Connection.HandleNetworkChange"/>
    internal void HandleNetworkChange(bool hasSlept)
    {
        lock (_gate)
        {
            if (!_released)
            {
                _connection.HandleNetworkChange(hasSlept, Now);
                Pump();
            }
        }
    }

    /// <summary>Sends the first packet, where that is this side's part.</summary>
    internal void Begin() => Flush();

    internal void Handle(Span<byte> datagrams, int datagramBytes, IPEndPoint from, EcnCodepoint ecn)
    {
        lock (_gate)
        {
            if (_released)
            {
                return;
            }

            long dropped = _connection.Dropped;
            _connection.HandleDatagrams(datagrams, datagramBytes, from, Now, ecn);
            if (_connection.Dropped != dropped)
            {
                _endpoint.Counting.NotAuthentic(_connection.Dropped - dropped);
            }
            else if (TunnelAddress.IsTunnel(from) && !IsAt(from) && _relays.Count < RelaysLearnedMax && _endpoint.Tunnels.RelayNameOf(from) is not null)
            {
                // The other side fell back on this device's allocation, or on one that this device was not told of.
                SetRelays([.. _relays, new RelayWay(from, IsByPeer: false)]);
            }

            TellEvents();
        }
    }

    internal void HandleReset(ReadOnlySpan<byte> token)
    {
        lock (_gate)
        {
            if (_released)
            {
                return;
            }

            long dropped = _connection.Dropped;
            _connection.HandleReset(token);
            _endpoint.Counting.NotAuthentic(_connection.Dropped - dropped);
            Pump();
        }
    }

    internal void Flush()
    {
        lock (_gate)
        {
            Pump();
        }
    }

    /// <summary>The endpoint is gone.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            if (_released)
            {
                return;
            }

            _connection.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.EndpointStopped, "the endpoint stopped"));
            TellEvents();
            _released = true;
            _timer.Dispose();
            _connection.Dispose();
        }
    }

    private TimeSpan Now => _endpoint.Now.Monotonic;

    private void OnTimer()
    {
        lock (_gate)
        {
            if (_released)
            {
                return;
            }

            _timer.Fired();
            _connection.HandleTimeout(Now);
            Pump();
        }
    }

    /// <summary>Sends what is due, tells what happened and sets the timer, as the state machine asks after every call.</summary>
    private void Pump()
    {
        if (_released)
        {
            return;
        }

        byte[] buffer = t_datagrams ??= GC.AllocateUninitializedArray<byte>(BatchBytesMax);
        TimeSpan now = Now;
        for (int length; (length = _connection.PollTransmits(buffer, BatchSender.DatagramsMax, now, out int each)) > 0; now = Now)
        {
            if (_endpoint.Send(buffer.AsSpan(0, length), each, _sendTo.Of(_connection.Destination), _connection.Ecn) == SendOutcome.TooLong)
            {
                _connection.HandleTooLong(now);
            }
        }

        _paths.NoteLosses();
        TellEvents();
        if (_connection.IsDrained)
        {
            _released = true;
            _timer.Dispose();
            _connection.Dispose();
            _endpoint.Forget(this);
            return;
        }

        _timer.Set(_connection.NextTimeout(), now);
    }

    private void TellEvents()
    {
        while (_connection.TryReadEvent(out ConnectionEvent happened))
        {
            switch (happened.Kind)
            {
                case ConnectionEventKind.Moved:
                    _paths.Moved();
                    Volatile.Write(ref _remote, _connection.Remote);
                    ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.PathChanged?.Invoke(connection), this, preferLocal: false);
                    break;
                case ConnectionEventKind.SocketWanted:
                    ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.TakeSocket(), this, preferLocal: false);
                    break;
                case ConnectionEventKind.Closed:
                    Ended();
                    break;
                default:
                    _waits.Tell(happened);
                    break;
            }
        }
    }

    /// <summary>Another outside port, before a NAT takes back the one in use. Without a socket for it, the port ends and another follows.</summary>
    private void TakeSocket()
    {
        if (_endpoint.Spares.TryOpen(SpareTime) is not { } socket)
        {
            return;
        }

        lock (_gate)
        {
            if (!_released)
            {
                _connection.TakeSocket(socket.Number, Now);
                Pump();
            }
        }
    }

    private void Ended()
    {
        _endpoint.Unlist(this);
        ConnectionEnding end = _connection.End;
        _waits.End(_connection.Streams.All, new ConnectionEnd(end.ByRemote, end.Code, end.Reason));
    }
}
