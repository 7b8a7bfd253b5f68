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
using AgentMesh.Protocol.Streams;
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

    private readonly DeviceIdentity _identity;
    private readonly IAdmission _admission;
    private readonly MeshEndpointSettings _settings;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly EndpointSockets _sockets;
    private readonly DatagramWays _ways;
    private readonly Dialer _dialer;
    private readonly ConnectionTable _connections = new();
    private readonly Channel<IMeshConnection> _accepted = Channel.CreateBounded<IMeshConnection>(AcceptedMax);
    private readonly EndpointCounting _counting = new();
    private readonly NetworkWatch _network;
    private int _stopped;
    private long _portSilence;

    private MeshEndpoint(DeviceIdentity identity, IAdmission admission, InitiationStamps stamps, MeshEndpointSettings settings, IEntropy entropy, TimeProvider time, EndpointSockets sockets)
    {
        _identity = identity;
        _admission = admission;
        _settings = settings = settings with { Connection = settings.Connection with { Ecn = settings.Connection.Ecn && sockets.CarryMarks } };
        _time = time;
        _start = time.GetTimestamp();
        _sockets = sockets;
        _ways = new DatagramWays(sockets, Relays, Tunnels, _counting);
        Entropy = entropy;
        byte[] parameters = new byte[TransportParameters.Size];
        ReceiveLimit.BytesPerSecond = settings.BytesPerSecondReceivedMax;
        TransportParameters.Of(settings.Connection).Write(parameters);
        var handshakes = new HandshakeEndpoint(identity, admission, settings.Handshake, stamps, parameters, entropy);
        _dialer = new Dialer(handshakes, this, time);
        Arrivals = new Arrivals(this, _connections, _dialer, sockets, _counting);
        _network = new NetworkWatch(settings.Connection.KeepAlive + settings.Connection.PeerTimeout, time, () => Now, OnNetworkChange);
        Turn = new TurnWays(this);
        Relays.Changed += OnRelaysChanged;
        Turn.Changed += OnRelaysChanged;
        Spares = _ways.Spares = new SpareSockets(Arrivals.TakeSpare, IsSpareInUse, () => Now.Monotonic, time);
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

    internal bool IsStopped => Volatile.Read(ref _stopped) != 0;

    internal IEntropy Entropy { get; }

    internal EndpointCounting Counting => _counting;

    internal Arrivals Arrivals { get; }

    /// <exception cref="MeshException">
    /// AM0130: an address cannot be listened on. Not for "all IPv6 addresses" beside others: many machines have none.
    /// </exception>
    public static MeshEndpoint Open(DeviceIdentity identity, IAdmission admission, InitiationStamps stamps, MeshEndpointSettings settings, IEntropy entropy, TimeProvider time)
    {
        var endpoint = new MeshEndpoint(identity, admission, stamps, settings, entropy, time, EndpointSockets.Bind(settings));
        endpoint._sockets.Start(endpoint.Arrivals.Receive);
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
        foreach (MeshConnection connection in _connections.All)
        {
            connection.Close(CloseCodes.None, "the device stops");
        }

        _sockets.Dispose();
        Spares.Dispose();
        foreach (MeshConnection connection in _connections.All)
        {
            connection.Release();
        }

        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>From now on relayed datagrams that are on no channel of this device go to this relay.</summary>
    public void RelayWith(IRelay relay) => Arrivals.Relay = relay;

    /// <summary>Takes a datagram that came over a tunnel, as from a socket; its bytes may be written over. Never throws for bytes.</summary>
    /// <param name="from">What <see cref="DatagramTunnels.Add"/> gave for the tunnel.</param>
    public void Receive(Span<byte> datagram, IPEndPoint from)
    {
        if (!datagram.IsEmpty && !IsStopped)
        {
            Arrivals.TakeOne(datagram, from);
        }
    }

    /// <summary>A tunnel has ended: connections that have another way take it, the others end.</summary>
    public void EndTunnel(IPEndPoint tunnel)
    {
        Tunnels.Remove(tunnel);
        foreach (MeshConnection connection in _connections.All)
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
    internal bool IsRemoteOfAnother(DeviceId device, IPEndPoint address) => _connections.All.Any(connection => connection.RemoteId != device && connection.Remote.Equals(address));

    /// <summary>A connection sends to this address, or would if its path were lost.</summary>
    internal bool IsInUse(IPEndPoint address) => _connections.All.Any(connection => connection.IsAt(address));

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

    /// <summary>
    /// UDP payload that all connections together receive in a second; 0 is as much as comes, else 16 KiB at least. Others are allowed to send no more than that; what they were allowed before still comes.
    /// </summary>
    public long BytesPerSecondReceivedMax
    {
        get => ReceiveLimit.BytesPerSecond;
        set
        {
            ReceiveLimit.BytesPerSecond = value;
            foreach (MeshConnection connection in _connections.All)
            {
                connection.Flush(); // who waited under the rate before may wait no more
            }
        }
    }

    /// <summary>
    /// The NAT before this device takes back ports that are not used for longer than this; null where nothing is known of it. What leads to the internet is kept alive sooner. The owner finds it out.
    /// </summary>
    public TimeSpan? PortSilence
    {
        get => Volatile.Read(ref _portSilence) is > 0 and var ticks ? TimeSpan.FromTicks(ticks) : null;
        set
        {
            Volatile.Write(ref _portSilence, value?.Ticks ?? 0);
            foreach (MeshConnection connection in _connections.All)
            {
                connection.PortSilence = value;
            }
        }
    }

    internal SendLimit SendLimit { get; } = new();

    internal ReceiveLimit ReceiveLimit { get; } = new();

    /// <inheritdoc cref="IAdmission.DeviceOf"/>
    public DeviceId DeviceOf(DeviceId keyId) => _admission.DeviceOf(keyId);

    /// <inheritdoc cref="IAdmission.ListedAs"/>
    public DeviceId ListedAs(DeviceId keyId) => _admission.ListedAs(keyId);

    internal MeshConnection? FindLive(DevicePublicKey key) => _connections.FindOpen(ListedAs(key.Id)) is { } live && live.RemoteKey == key ? live : null;

    /// <summary>Everything that is sent and received from now on, as a pcapng file; it ends when <paramref name="cancellationToken"/> does.</summary>
    /// <param name="snapBytes">No more of each packet is kept, its IP and UDP headers included.</param>
    /// <exception cref="MeshException">AM0122: one runs already.</exception>
    public IAsyncEnumerable<byte[]> TraceAsync(int snapBytes, CancellationToken cancellationToken)
    {
        string connections = string.Join('\n', _connections.All.Select(each => $"{each.RemoteId} at {each.Path.Place}: connection {each.Session.LocalConnectionId} here, {each.Session.RemoteConnectionId} there"));
        return _sockets.TraceAsync(new PacketTrace($"device {LocalId}\n{connections}", snapBytes, _time), cancellationToken);
    }

    /// <inheritdoc cref="DatagramWays.GoSilent"/>
    internal void GoSilent() => _ways.GoSilent();

    /// <inheritdoc cref="DatagramWays.Send(ReadOnlySpan{byte}, int, SocketAddress)"/>
    internal SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn) => _ways.Send(datagrams, datagramBytes, to, ecn);

    /// <summary>A handshake has ended well. Called by the <see cref="Dialer"/>.</summary>
    internal MeshConnection Established(EstablishedSession session)
    {
        if (FindLive(session.RemoteKey) is { } existing && SimultaneousOpen.KeepsExisting(_identity.PublicKey, existing.Session, session))
        {
            // Both sides opened at once and come to the same choice.
            session.Protector.Dispose();
            return existing;
        }

        var connection = new MeshConnection(this, session, _settings.Connection, _settings.Mtu);
        MeshConnection? before = _connections.Add(connection);
        before?.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.Replaced, "a newer session took its place"));
        connection.Begin();
        connection.PortSilence = PortSilence;
        OfferRelay(connection);
        if (!session.IsInitiator && !_accepted.Writer.TryWrite(connection))
        {
            connection.Close(CloseCodes.None, "too many connections wait to be accepted");
        }

        return connection;
    }

    /// <inheritdoc cref="ConnectionTable.Unlist"/>
    internal void Unlist(MeshConnection connection) => _connections.Unlist(connection);

    internal void Forget(MeshConnection connection) => _connections.Forget(connection);

    private async ValueTask<IMeshConnection> DialAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, InvitationSecret secret, string target, TimeSpan? repeatMax, CancellationToken cancellationToken)
    {
        if (IsStopped)
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

    private bool IsSpareInUse(ushort number) => _connections.All.Any(connection => connection.UsesSocket(number));

    private void OnNetworkChange(bool hasSlept)
    {
        foreach (MeshConnection connection in _connections.All)
        {
            connection.HandleNetworkChange(hasSlept);
        }

        NetworkChanged?.Invoke();
    }

    private void OnRelaysChanged(DeviceId device)
    {
        if (_connections.FindOpen(device) is { } live)
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
}
