using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Stun;
using AgentMesh.Transport.Relaying;
using AgentMesh.Transport.Spare;
using AgentMesh.Transport.Tracing;
using AgentMesh.Transport.Tunnels;
using AgentMesh.Transport.Turn;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport;

/// <summary>
/// The UDP endpoint of a device: sockets, clocks and threads around the protocol's state machines. One thread receives for each socket; whoever
/// uses a connection sends by itself, so that nothing waits for another thread.
/// </summary>
public sealed class MeshEndpoint : IMeshEndpoint
{
    private const int AcceptedMax = 1024;

    // Datagrams and bytes that are handled before answers are sent: one acknowledgement then covers them all, and the other side can go on meanwhile.
    private const int BatchMax = BatchSender.DatagramsMax;
    private const int BatchBytesMax = 60_000;

    private readonly DeviceIdentity _identity;
    private readonly IAdmission _admission;
    private readonly MeshEndpointSettings _settings;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly EndpointSockets _sockets;
    private readonly DatagramWays _ways;
    private readonly Dialer _dialer;
    private readonly ConcurrentDictionary<ConnectionId, MeshConnection> _byId = new();
    private readonly ConcurrentDictionary<ConnectionId, MeshConnection> _byRemoteId = new();
    private readonly ConcurrentDictionary<DeviceId, MeshConnection> _byDevice = new();
    private readonly Channel<IMeshConnection> _accepted = Channel.CreateBounded<IMeshConnection>(AcceptedMax);
    private readonly EndpointCounting _counting = new();
    private readonly NetworkWatch _network;
    private int _stopped;
    private IRelay? _relay;

    [ThreadStatic]
    private static List<MeshConnection>? t_touched;

    private MeshEndpoint(DeviceIdentity identity, IAdmission admission, InitiationStamps stamps, MeshEndpointSettings settings, IEntropy entropy, TimeProvider time, EndpointSockets sockets)
    {
        _identity = identity;
        _admission = admission;
        _settings = settings;
        _time = time;
        _start = time.GetTimestamp();
        _sockets = sockets;
        _ways = new DatagramWays(sockets, Relays, Tunnels, _counting);
        Entropy = entropy;
        byte[] parameters = new byte[TransportParameters.Size];
        TransportParameters.Of(settings.Connection).Write(parameters);
        var handshakes = new HandshakeEndpoint(identity, admission, settings.Handshake, stamps, parameters, entropy);
        _dialer = new Dialer(handshakes, this, time);
        _network = new NetworkWatch(settings.Connection.KeepAlive + settings.Connection.PeerTimeout, time, () => Now, OnNetworkChange);
        Turn = new TurnWays(this);
        Relays.Changed += OnRelaysChanged;
        Turn.Changed += OnRelaysChanged;
        Spares = _ways.Spares = new SpareSockets(TakeSpare, IsSpareInUse, () => Now.Monotonic, time);
        Observers = new ObserverQuestions((question, to) => Send(question, to), entropy, time);
    }

    /// <summary>This device may be in another network now, or was asleep; its connections know. Raised on a thread of the pool.</summary>
    public event Action? NetworkChanged;

    /// <summary>The channels through beacons that devices can be reached by.</summary>
    public RelayChannels Relays { get; } = new();

    /// <summary>The ways for datagrams that are no UDP sockets.</summary>
    public DatagramTunnels Tunnels { get; } = new();

    /// <summary>The ways that pass a TURN server.</summary>
    public TurnWays Turn { get; }

    /// <summary>Sockets for other outside ports than the usual ones.</summary>
    public SpareSockets Spares { get; }

    /// <summary>From where this device's datagrams seem to come.</summary>
    public ObserverQuestions Observers { get; }

    public DeviceId LocalId => _identity.Id;

    public IReadOnlyList<IPEndPoint> LocalAddresses => [.. _sockets.All.Select(socket => socket.Local)];

    public IReadOnlyList<MeshSocketInfo> Sockets => [.. _sockets.All.Select(socket => socket.Info)];

    public MeshEndpointCounters Counters => _counting.Read(_dialer.Resets);

    internal MeshInstant Now => new(_time.GetElapsedTime(_start), _time.GetUtcNow());

    internal TimeProvider Time => _time;

    internal IEntropy Entropy { get; }

    internal EndpointCounting Counting => _counting;

    /// <summary>Takes the messages of pairing by code, on the thread that receives: must not wait. Null: they are dropped.</summary>
    internal Action<ReadOnlySpan<byte>, IPEndPoint>? PairingTaker { get; set; }

    /// <summary>Takes answers of STUN servers, on the thread that receives: must not wait. Null: they are dropped.</summary>
    internal Action<ReadOnlySpan<byte>, IPEndPoint>? StunTaker { get; set; }

    /// <exception cref="MeshException">
    /// AM0130: an address cannot be listened on. Not for "all IPv6 addresses" beside others: many machines have none.
    /// </exception>
    public static MeshEndpoint Open(DeviceIdentity identity, IAdmission admission, InitiationStamps stamps, MeshEndpointSettings settings, IEntropy entropy, TimeProvider time)
    {
        var endpoint = new MeshEndpoint(identity, admission, stamps, settings, entropy, time, EndpointSockets.Bind(settings));
        endpoint._sockets.Start(endpoint.Receive);
        endpoint._network.Start();
        return endpoint;
    }

    public ValueTask<IMeshConnection> ConnectAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken) =>
        ConnectAsync(key, addresses, repeatMax: null, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(DevicePublicKey, IReadOnlyList{IPEndPoint}, CancellationToken)"/>
    /// <param name="repeatMax">What opens the connection is repeated at least so often; null: less and less often.</param>
    public ValueTask<IMeshConnection> ConnectAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, TimeSpan? repeatMax, CancellationToken cancellationToken) =>
        FindLive(key) is { } live
            ? ValueTask.FromResult<IMeshConnection>(live)
            : DialAsync(key, addresses, default, key.Id.ToString(), repeatMax, cancellationToken);

    /// <summary>Joins the device that made the invitation; its handshake uses it up.</summary>
    /// <exception cref="MeshException">AM0111, AM0112, AM0120: expired, used, no answer.</exception>
    public async ValueTask<MeshConnection> JoinAsync(Invitation invitation, CancellationToken cancellationToken) =>
        (MeshConnection)await DialAsync(invitation.Key, [.. invitation.Addresses, .. Turn.ToStranger(invitation.Addresses)], invitation.Secret, $"{invitation.InviterName} ({invitation.Key.Id})", repeatMax: null, cancellationToken).ConfigureAwait(false);

    public async ValueTask<IMeshConnection?> AcceptAsync(CancellationToken cancellationToken) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _accepted.Reader.TryRead(out IMeshConnection? next) ? next : null;

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            return ValueTask.CompletedTask;
        }

        _dialer.Stop();
        _network.Dispose();
        foreach (MeshConnection connection in _byId.Values)
        {
            connection.Close(CloseCodes.None, "the device stops");
        }

        _sockets.Dispose();
        Spares.Dispose();
        foreach (MeshConnection connection in _byId.Values)
        {
            connection.Release();
        }

        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>From now on relayed datagrams that are on no channel of this device go to this relay.</summary>
    public void RelayWith(IRelay relay) => Volatile.Write(ref _relay, relay);

    /// <summary>Takes a datagram that came over a tunnel, as from a socket; its bytes may be written over. Never throws for bytes.</summary>
    /// <param name="from">What <see cref="DatagramTunnels.Add"/> gave for the tunnel.</param>
    public void Receive(Span<byte> datagram, IPEndPoint from)
    {
        if (datagram.IsEmpty || Volatile.Read(ref _stopped) != 0)
        {
            return;
        }

        TakeOne(datagram, from);
    }

    /// <summary>A tunnel has ended: connections that have another way take it, the others end.</summary>
    public void EndTunnel(IPEndPoint tunnel)
    {
        Tunnels.Remove(tunnel);
        foreach (MeshConnection connection in _byId.Values)
        {
            if (connection.IsAt(tunnel))
            {
                connection.SetRelays(WaysRound(connection.RemoteId));
                if (connection.Remote.Equals(tunnel))
                {
                    connection.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.TimedOut, "the tunnel to it ended"));
                }
            }
        }
    }

    /// <inheritdoc cref="DatagramWays.SendWithin"/>
    internal void SendWithin(ReadOnlySpan<byte> datagram, IPEndPoint to) => _ways.SendWithin(datagram, to);

    /// <summary>Another device is at this address: what the one says of it cannot be.</summary>
    internal bool IsRemoteOfAnother(DeviceId device, IPEndPoint address) => _byId.Values.Any(connection => connection.RemoteId != device && connection.Remote.Equals(address));

    /// <summary>A connection sends to this address, or would if its path were lost.</summary>
    internal bool IsInUse(IPEndPoint address) => _byId.Values.Any(connection => connection.IsAt(address));

    /// <summary>Sends a datagram of a relay.</summary>
    public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        SendLimit.Count(datagram.Length);
        _ways.Send(datagram, to);
    }

    /// <summary>
    /// UDP payload that all connections together send in a second; 0 is as much as the paths carry, else 16 KiB at least. Control streams, acknowledgements and what is relayed for others are counted and never wait.
    /// </summary>
    public long BytesPerSecondMax
    {
        get => SendLimit.BytesPerSecond;
        set => SendLimit.BytesPerSecond = value;
    }

    internal SendLimit SendLimit { get; } = new();

    /// <inheritdoc cref="IAdmission.DeviceOf"/>
    public DeviceId DeviceOf(DeviceId keyId) => _admission.DeviceOf(keyId);

    internal MeshConnection? FindLive(DevicePublicKey key) => _byDevice.TryGetValue(DeviceOf(key.Id), out MeshConnection? live) && live.IsOpen && live.RemoteKey == key ? live : null;

    /// <summary>Everything that is sent and received from now on, as a pcapng file; it ends when <paramref name="cancellationToken"/> does.</summary>
    /// <param name="snapBytes">No more of each packet is kept, its IP and UDP headers included.</param>
    /// <exception cref="MeshException">AM0122: one runs already.</exception>
    public IAsyncEnumerable<byte[]> TraceAsync(int snapBytes, CancellationToken cancellationToken)
    {
        string connections = string.Join('\n', _byId.Values.Select(each => $"{each.RemoteId} at {each.Path.Place}: connection {each.Session.LocalConnectionId} here, {each.Session.RemoteConnectionId} there"));
        return _sockets.TraceAsync(new PacketTrace($"device {LocalId}\n{connections}", snapBytes, _time), cancellationToken);
    }

    /// <inheritdoc cref="DatagramWays.GoSilent"/>
    internal void GoSilent() => _ways.GoSilent();

    /// <inheritdoc cref="DatagramWays.Send(ReadOnlySpan{byte}, int, SocketAddress)"/>
    internal SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to) => _ways.Send(datagrams, datagramBytes, to);

    /// <summary>A handshake has ended well. Called by the <see cref="Dialer"/>.</summary>
    internal MeshConnection Established(EstablishedSession session)
    {
        if (_byDevice.TryGetValue(DeviceOf(session.RemoteKey.Id), out MeshConnection? existing) && existing.IsOpen && existing.RemoteKey == session.RemoteKey && SimultaneousOpen.KeepsExisting(_identity.PublicKey, existing.Session, session))
        {
            // Both sides opened at once and come to the same choice.
            session.Protector.Dispose();
            return existing;
        }

        var connection = new MeshConnection(this, session, _settings.Connection, _settings.Mtu);
        _byId[session.LocalConnectionId] = connection;
        _byRemoteId[session.RemoteConnectionId] = connection;
        MeshConnection? before = null;
        _byDevice.AddOrUpdate(connection.RemoteId, connection, (_, old) =>
        {
            before = old;
            return connection;
        });
        before?.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.Replaced, "a newer session took its place"));
        connection.Begin();
        OfferRelay(connection);
        if (!session.IsInitiator && !_accepted.Writer.TryWrite(connection))
        {
            connection.Close(CloseCodes.None, "too many connections wait to be accepted");
        }

        return connection;
    }

    /// <summary>The connection cannot be used any more; it may still have to say goodbye.</summary>
    internal void Unlist(MeshConnection connection) => _byDevice.TryRemove(KeyValuePair.Create(connection.RemoteId, connection));

    internal void Forget(MeshConnection connection)
    {
        Unlist(connection);
        _byId.TryRemove(KeyValuePair.Create(connection.LocalConnectionId, connection));
        _byRemoteId.TryRemove(KeyValuePair.Create(connection.Session.RemoteConnectionId, connection));
    }

    private async ValueTask<IMeshConnection> DialAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, InvitationSecret secret, string target, TimeSpan? repeatMax, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _stopped) != 0)
        {
            throw new MeshException(TransportErrors.EndpointStopped, "this device's endpoint has stopped", "start the node again with 'agentmesh up'");
        }

        // What is known to be a relay is reached by what stands for it, so that it is not taken for a direct path.
        IPEndPoint[] plain = [.. addresses.Select(Plain).Where(address => !Turn.IsTold(address))];
        return await _dialer.DialAsync(key, plain, secret, target, repeatMax, cancellationToken).ConfigureAwait(false);
    }

    // The sockets speak one family each: an IPv4 address in the clothes of IPv6 goes to the IPv4 socket.
    private static IPEndPoint Plain(IPEndPoint address) =>
        address.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(address.Address.MapToIPv4(), address.Port) : address;

    private void Receive(UdpSocket socket)
    {
        using DatagramReceiver receiver = socket.NewReceiver();
        var touched = new List<MeshConnection>();
        while (receiver.TryReceive(out int count))
        {
            int handled = 0, bytes = 0;
            for (int i = 0; i < count; i++)
            {
                ArrivedDatagrams arrived = receiver.Get(i);
                _sockets.Trace?.Take(arrived.From, socket.Local, isInbound: true, arrived.Bytes, arrived.DatagramBytes);

                // No network carries such a source; who sends it by hand must not be taken for a relay or a tunnel.
                handled += RelayAddress.IsRelay(arrived.From) ? 1
                    : Turn.TryStandIn(arrived.From, out IPEndPoint? relay) ? Handle(new ArrivedDatagrams(arrived.Bytes, arrived.DatagramBytes, relay), touched)
                    : Handle(arrived, touched);
                bytes += arrived.Bytes.Length;
                if (handled >= BatchMax || bytes >= BatchBytesMax || i == count - 1)
                {
                    foreach (MeshConnection connection in touched)
                    {
                        connection.Flush();
                    }

                    touched.Clear();
                    handled = bytes = 0;
                }
            }
        }
    }

    // Packets of connections that began elsewhere, and answers of observers; nothing else has any business here.
    private void TakeSpare(SpareSocket socket, Memory<byte> datagram, IPEndPoint from)
    {
        DatagramKind kind = Datagrams.KindOf(datagram.Span);
        if (kind is not (DatagramKind.Packet or DatagramKind.Reset or DatagramKind.ObserverAnswer) || Volatile.Read(ref _stopped) != 0)
        {
            _counting.Unknown();
            return;
        }

        TakeOne(datagram.Span, from);
    }

    private void TakeOne(Span<byte> datagram, IPEndPoint from)
    {
        // Sending may come back here on the same thread, from a tunnel that ends in this process: the list is nobody else's meanwhile.
        List<MeshConnection> touched = t_touched ?? [];
        t_touched = null;
        Handle(new ArrivedDatagrams(datagram, datagram.Length, from), touched);
        touched.ForEach(connection => connection.Flush());
        touched.Clear();
        t_touched = touched;
    }

    private bool IsSpareInUse(ushort number) => _byId.Values.Any(connection => connection.UsesSocket(number));

    private void OnNetworkChange(bool hasSlept)
    {
        foreach (MeshConnection connection in _byId.Values)
        {
            connection.HandleNetworkChange(hasSlept);
        }

        NetworkChanged?.Invoke();
    }

    private void OnRelaysChanged(DeviceId device)
    {
        if (_byDevice.TryGetValue(device, out MeshConnection? live) && live.IsOpen)
        {
            OfferRelay(live);
        }
    }

    private void OfferRelay(MeshConnection connection)
    {
        RelayWay[] ways = WaysRound(connection.RemoteId);
        connection.SetRelays(TunnelAddress.IsTunnel(connection.Remote) && !Array.Exists(ways, way => way.Address.Equals(connection.Remote)) ? [.. ways, new RelayWay(connection.Remote, IsByPeer: false)] : ways);
    }

    // TURN servers come after beacons and devices: they are the last that an operator wants to pay for.
    private RelayWay[] WaysRound(DeviceId device) =>
        [.. Relays.To(device).Select(channel => new RelayWay(channel.Address, channel.IsByPeer)), .. Turn.To(device).Select(way => new RelayWay(way, IsByPeer: false))];

    private void HandleRelayed(Span<byte> datagram, IPEndPoint from, List<MeshConnection> touched)
    {
        if (RelayEnvelope.TryReadNotice(datagram, out ulong doubted) && Relays.Find(doubted) is not null)
        {
            Relays.Doubt(doubted, from);
        }
        else if (RelayEnvelope.TryRead(datagram, out ulong id) && Relays.Find(id) is { } channel && channel.Beacon.IsAt(from)
            && Datagrams.KindOf(datagram[RelayEnvelope.HeaderBytes..]) is not (DatagramKind.Relayed or DatagramKind.RelayNotice))
        {
            Handle(datagram[RelayEnvelope.HeaderBytes..], datagram.Length - RelayEnvelope.HeaderBytes, channel.Address, touched);
        }
        else if (Volatile.Read(ref _relay) is { } relay)
        {
            relay.Relay(datagram, from);
        }
        else
        {
            _counting.UnknownChannel();
        }
    }

    private void TakeReset(ReadOnlySpan<byte> datagram)
    {
        if (ResetMessage.TryRead(datagram, out ConnectionId id, out ReadOnlySpan<byte> token) && _byRemoteId.TryGetValue(id, out MeshConnection? connection))
        {
            connection.HandleReset(token);
        }
        else
        {
            _counting.Unknown();
        }
    }

    /// <returns>How many datagrams there were.</returns>
    private int Handle(in ArrivedDatagrams arrived, List<MeshConnection> touched)
    {
        int count = 0;
        ArrivedDatagrams rest = arrived;
        do
        {
            int run = rest.BytesToOneReceiver();
            Handle(rest.Bytes[..run], rest.DatagramBytes, rest.From, touched);
            count += Math.Max(1, (run + rest.DatagramBytes - 1) / rest.DatagramBytes);
            rest = rest.After(run);
        }
        while (!rest.Bytes.IsEmpty);
        _counting.Received(count);
        return count;
    }

    private void Handle(Span<byte> datagrams, int datagramBytes, IPEndPoint from, List<MeshConnection> touched)
    {
        DatagramKind kind = Datagrams.KindOf(datagrams);
        if (kind is DatagramKind.Relayed or DatagramKind.RelayNotice)
        {
            HandleRelayed(datagrams, from, touched);
            return;
        }

        if (kind == DatagramKind.ObserverAnswer)
        {
            Observers.Take(datagrams);
            return;
        }

        if (kind == DatagramKind.Unknown && StunTaker is { } stun && StunMessage.IsLikely(datagrams))
        {
            stun(datagrams[..Math.Min(datagramBytes, datagrams.Length)], from);
            return;
        }

        if (kind == DatagramKind.Reset)
        {
            TakeReset(datagrams[..Math.Min(datagramBytes, datagrams.Length)]);
            return;
        }

        if (kind == DatagramKind.Pairing && PairingTaker is { } taker)
        {
            taker(datagrams, from);
            return;
        }

        if (kind != DatagramKind.Packet)
        {
            _counting.Handshake(_dialer.HandleDatagram(datagrams, from));
            return;
        }

        Span<byte> first = datagrams[..Math.Min(datagramBytes, datagrams.Length)];
        if (!PacketLayout.TryReadDestination(first, out ConnectionId destination))
        {
            _counting.Handshake(HandshakeOutcome.Malformed);
            return;
        }

        if (!_byId.TryGetValue(destination, out MeshConnection? connection) && !(_dialer.TryConfirm(first, from) && _byId.TryGetValue(destination, out connection)))
        {
            _counting.Unknown();
            return;
        }

        connection.Handle(datagrams, datagramBytes, from);
        if (!touched.Contains(connection))
        {
            touched.Add(connection);
        }
    }
}
