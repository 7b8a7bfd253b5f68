using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;

namespace Simulation.Reach.Net;

/// <summary>
/// A device that keeps itself registered with a beacon and connected with one other device, as nodes do: dials at the pace of the product, follows the relay that is
/// offered, and looks for a direct path in rounds while the relay is in use.
/// </summary>
internal sealed partial class DeviceHost : NetHost
{
    // As in the node and in the client of a beacon.
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1), Courtesy = TimeSpan.FromSeconds(1), NextRound = TimeSpan.FromSeconds(4);

    private readonly BeaconHost _beacon;
    private readonly BeaconClientSettings _client = new();
    private readonly ReconnectPace _pace;
    private readonly Dictionary<Connection, Talk> _punching = [];
    private Connection? _toBeacon;
    private Talk? _talk;
    private Talk? _proving;
    private DeviceHost? _other;
    private bool _dials;
    private IPEndPoint? _observed;
    private TimeSpan _heardAt;
    private TimeSpan _awaySince;
    private TimeSpan _roundAt;
    private ulong? _channel;
    private int _attempt;

    public DeviceHost(SimInternet net, BeaconHost beacon, int seed, params SimNat[] places)
        : base(net, seed, places)
    {
        _beacon = beacon;
        Settings = new ConnectionSettings { KeepAlive = TimeSpan.FromSeconds(2) }; // as nodes have it
        _pace = new ReconnectPace(_client.RetryMin, _client.RetryMax);
        Admission.Admitted.Add(beacon.Identity.PublicKey);
        beacon.Admission.Admitted.Add(Identity.PublicKey);
    }

    /// <summary>To the other device; null while there is none.</summary>
    public Connection? Peer { get; private set; }

    public Bulk? Bulk { get; private set; }

    /// <summary>Writes as much as the connection takes.</summary>
    public bool IsSending { get; set; }

    public bool IsRegistered { get; private set; }

    /// <summary>When the beacon took it in.</summary>
    public TimeSpan RegisteredAt { get; private set; }

    /// <summary>Attempts to reach the beacon since the start.</summary>
    public int Attempts { get; private set; }

    /// <summary>Sessions with the other device since the start.</summary>
    public int Sessions { get; private set; }

    public ConnectionEnding LastEnd { get; private set; }

    public bool IsDirect => Peer is { } peer && !RelayAddress.IsRelay(peer.Remote);

    private string Name => _dials ? "a" : "b";

    /// <summary>Goes to the beacon, and from there to the other device if it is to dial.</summary>
    public void Start(DeviceHost other, bool dials)
    {
        (_other, _dials) = (other, dials);
        Admission.Admitted.Add(other.Identity.PublicKey);
        DialBeacon();
        DialPeer();
    }

    /// <summary>The host is in another network from now on, and the system says so a little later.</summary>
    public void MoveTo(IReadOnlyList<SimNat> places, TimeSpan? toldAfter)
    {
        Places = places;
        if (toldAfter is { } later)
        {
            After(later, () => TellNetworkChange(hasSlept: false));
        }
    }

    /// <summary>Wakes up; the endpoint compares its clocks once a second.</summary>
    public void WakeUp(TimeSpan length)
    {
        Wake();
        After(TimeSpan.FromSeconds(Net.Random.NextDouble()), () => TellNetworkChange(hasSlept: length > Settings.KeepAlive + Settings.PeerTimeout));
    }

    /// <summary>What the endpoint does when the system tells of a change, or the clocks say that the machine was asleep.</summary>
    public void TellNetworkChange(bool hasSlept)
    {
        foreach (Connection connection in Connections.ToArray())
        {
            connection.HandleNetworkChange(hasSlept, Now);
        }

        if (_toBeacon is null)
        {
            DialBeaconLater(TimeSpan.Zero);
        }

        Prove(isAlone: true);
        Work();
    }

    // The client asks the beacon itself, and dials again where no answer comes.
    private void Prove(bool isAlone)
    {
        if (_talk is not { } talk || ReferenceEquals(talk, _proving))
        {
            return;
        }

        TimeSpan asked = Now;
        _proving = talk;
        talk.Say(new BeaconFrame(BeaconFrameType.Ping, 1).ToBytes());
        After(_client.DoubtTimeout, () =>
        {
            _proving = null;
            if (ReferenceEquals(talk, _talk) && _heardAt <= asked)
            {
                LoseBeacon(_toBeacon!, isAlone);
            }
        });
    }

    protected override void Established(Connection connection, EstablishedSession session)
    {
        if (session.RemoteKey == _beacon.Identity.PublicKey)
        {
            _toBeacon = connection;
            connection.SilenceMax = _client.SilenceMax; // as the client does
            connection.Streams.TryOpen(StreamClass.Control, out ProtocolStream? stream);
            _talk = new Talk(connection, stream!, () => Now);
            _talk.Say(new BeaconFrame(BeaconFrameType.Hello, Devices: [_other!.Id]).ToBytes());
            return;
        }

        Peer?.EndWithoutAWord(new ConnectionEnding(ByRemote: false, CloseCodes.Replaced, "a newer session took its place"));
        Sessions++;
        Peer = connection;
        Bulk = new Bulk(connection, () => Now);
        if (session.IsInitiator)
        {
            connection.Streams.TryOpen(StreamClass.Control, out ProtocolStream? stream);
            _punching[connection] = new Talk(connection, stream!, () => Now);
        }

        Known = Known?.Found(RelayAddress.IsRelay(session.RemoteAddress) ? null : session.RemoteAddress, Net.WallNow);
        OfferRelay();
        PlanRound(session.IsInitiator ? TimeSpan.Zero : Courtesy);
    }

    protected override void Ended(Connection connection)
    {
        _punching.Remove(connection);
        if (ReferenceEquals(connection, _toBeacon))
        {
            LoseBeacon(connection);
        }
        else if (ReferenceEquals(connection, Peer))
        {
            LastEnd = connection.End;
            Net.Tell($"{Name} loses the other device: {LastEnd}");
            Peer = null;
            After(TimeSpan.FromMilliseconds(1), DialPeer);
        }
    }

    protected override void NotConnected(DevicePublicKey key)
    {
        if (key == _beacon.Identity.PublicKey)
        {
            DialBeaconLater(_pace.Next(Now - _awaySince, TimeSpan.Zero, Net.Random.NextDouble()));
        }
        else if (_dials)
        {
            After(TimeSpan.FromSeconds(1), DialPeer);
        }
    }

    protected override void Happened(Connection connection, ConnectionEvent happened)
    {
        if (happened.Kind == ConnectionEventKind.Moved)
        {
            Net.Tell($"{Name} {(ReferenceEquals(connection, Peer) ? "other device" : "beacon")} at {connection.Remote}");
        }

        bool isPeer = ReferenceEquals(connection, Peer);
        switch (happened.Kind)
        {
            case ConnectionEventKind.StreamOpened when isPeer && happened.Stream!.Id.Class == StreamClass.Control:
                _punching[connection] = new Talk(connection, happened.Stream, () => Now);
                break;
            case ConnectionEventKind.StreamReadable when isPeer && happened.Stream!.Id.Class == StreamClass.Bulk:
                Bulk!.Take(happened.Stream);
                break;
            case ConnectionEventKind.StreamReadable when isPeer:
                TakePunch(connection);
                break;
            case ConnectionEventKind.StreamReadable when ReferenceEquals(connection, _toBeacon):
                TakeFrames();
                break;
            case ConnectionEventKind.StreamWritable:
                happened.Stream!.IsWritableRaised = false;
                break;
            case ConnectionEventKind.Moved when isPeer && !IsDirect:
                PlanRound(_dials ? TimeSpan.Zero : Courtesy);
                break;
        }
    }

    protected override void Write(Connection connection)
    {
        if (ReferenceEquals(connection, _toBeacon))
        {
            _talk?.Write();
        }
        else if (ReferenceEquals(connection, Peer))
        {
            _punching.GetValueOrDefault(connection)?.Write();
            if (IsSending)
            {
                Bulk!.Write();
            }
        }
    }

    protected override void Send(ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        if (!RelayAddress.IsRelay(to))
        {
            base.Send(datagram, to);
        }
        else if (_toBeacon is { } beacon && RelayAddress.TryRead(to.Serialize(), out ulong id))
        {
            byte[] envelope = new byte[RelayEnvelope.HeaderBytes + datagram.Length];
            RelayEnvelope.Write(envelope, id, datagram);
            base.Send(envelope, beacon.Remote);
        }
    }

    protected override void HandleRelayed(byte[] datagram, IPEndPoint from)
    {
        if (RelayEnvelope.TryReadNotice(datagram, out ulong doubted) && doubted == _channel && _toBeacon is { } doubtful && from.Equals(doubtful.Remote))
        {
            Prove(isAlone: false);
        }

        if (RelayEnvelope.TryRead(datagram, out ulong id) && id == _channel && _toBeacon is { } beacon && from.Equals(beacon.Remote))
        {
            Handle(datagram.AsSpan(RelayEnvelope.HeaderBytes), RelayAddress.Of(id));
        }
    }

    private void DialBeacon()
    {
        _attempt++;
        Attempts++;
        Net.Tell($"{Name} dials the beacon");
        TimeSpan knock = ReconnectPace.Knock(Now - _awaySince, _client.Knock, _client.ConnectTimeout);
        Dial(_beacon.Identity.PublicKey, [.. _beacon.Addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork)], knock);
        int attempt = _attempt;
        After(_client.Ipv4HeadStart, () =>
        {
            if (attempt == _attempt && _toBeacon is null)
            {
                Open(_beacon.Identity.PublicKey, _beacon.Addresses, knock);
            }
        });
        After(_client.ConnectTimeout, () =>
        {
            if (attempt == _attempt && _toBeacon is null)
            {
                GiveUp(_beacon.Identity.PublicKey);
                DialBeaconLater(_pace.Next(Now - _awaySince, _client.ConnectTimeout, Net.Random.NextDouble()));
            }
        });
    }

    private void DialBeaconLater(TimeSpan wait)
    {
        int attempt = ++_attempt;
        After(wait, () =>
        {
            if (attempt == _attempt && _toBeacon is null)
            {
                DialBeacon();
            }
        });
    }

    /// <param name="isAlone">The network of this device changed: it is the only one that comes back now.</param>
    private void LoseBeacon(Connection connection, bool isAlone = false)
    {
        if (!ReferenceEquals(connection, _toBeacon))
        {
            return;
        }

        Net.Tell($"{Name} loses the beacon: {connection.End}");
        bool wasWelcome = IsRegistered;
        (_toBeacon, _talk, IsRegistered, _observed, _channel) = (null, null, false, null, null);
        connection.Close(0, "forgotten", Now);
        OfferRelay();
        _awaySince = wasWelcome ? Now : _awaySince;
        DialBeaconLater(isAlone ? TimeSpan.Zero : _pace.First(Net.Random.NextDouble()));
    }

    private void TakeFrames()
    {
        foreach (byte[] message in _talk?.Read() ?? [])
        {
            BeaconFrame frame = BeaconFrame.TryRead(message)!;
            Net.Tell($"{Name} hears {frame.Type} from the beacon");
            _heardAt = Now;
            switch (frame.Type)
            {
                case BeaconFrameType.Welcome or BeaconFrameType.Observed:
                    RegisteredAt = IsRegistered ? RegisteredAt : Now;
                    IsRegistered = true;
                    _observed = frame.Address;
                    PlanRound(TimeSpan.Zero);
                    break;
                case BeaconFrameType.Channel:
                    _channel = frame.Value;
                    OfferRelay();
                    DialPeer();
                    break;
                case BeaconFrameType.Gone when frame.Value == _channel:
                    _channel = null;
                    OfferRelay();
                    break;
            }
        }
    }

    private void OfferRelay() => Peer?.SetRelays(_channel is { } id ? [new RelayWay(RelayAddress.Of(id), IsByPeer: false)] : [], Now);
}
