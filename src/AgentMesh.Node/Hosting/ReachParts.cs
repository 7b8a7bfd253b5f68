using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Remembered;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Punching;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Node.Hosting;

/// <summary>How other devices are found and reached: links, beacons, relays, what looks for direct ways, and what is told of the own place.</summary>
internal sealed class ReachParts
{
    private readonly DeviceParts _device;
    private readonly CandidateList _candidates;
    private readonly PeerRelay? _relaying;
    private readonly PeerRelays _peerRelays;

    private ReachParts(DeviceParts device, WorkerParts workers, BeaconRole? role, Endings endings)
    {
        _device = device;
        (NodeSettings settings, MeshEndpoint endpoint, TimeProvider time) = (device.Settings, device.Endpoint, device.Time);
        BeaconRole = role;
        History = endings.Add(new ConnectionHistory(device.Data[ConnectionHistory.FileName], device.Data[ConnectionHistory.OlderFileName], device.Life, device.Hub, time));
        Addresses = endings.Add(new OwnAddresses(endpoint.LocalAddresses, settings.Announce, time));
        device.Directory.IsOwn = Addresses.IsOwn;
        _candidates = endings.Add(new CandidateList());
        var hello = new OwnHello(settings, workers.Handlers, device.Life);
        Links = endings.AddAsync(new LinkService(device.Hub, device.Directory, new RegistryExchange(device.Registry), settings.Link, () => hello.Now(Announced(), _candidates, Turn), time));
        _candidates.Add(Addresses);
        _candidates.Changed += Links.TakeNewCandidates;
        Links.OwnLoad = () => workers.Load;
        Links.Changed += device.Pairing.AdmitIfKnown;
        Links.PathChanged += (other, path) => Log.PathIs(device.Log, other.ToString(), path.Description, path.Place);
        Nat = endings.AddAsync(new NatSurvey(endpoint));
        Names = new NameMemory(device.Data[NamesFile.FileName], time, device.Log);
        var names = new NameLookup(Names, time);
        Beacons = endings.AddAsync(new BeaconService(
            settings.Beacons, new BeaconClientSettings { Proxy = settings.BeaconProxy }, new BeaconFile(device.Data[BeaconFile.FileName]), names, device.Id, endpoint, device.Directory, Links, _candidates, device.Pairing.Book, time, device.Log));
        Links.Help = new PunchHelp
        {
            Candidates = () => _candidates.Direct,
            IsOwn = Addresses.IsOwn,
            Outside = () => Beacons.Outside,
            Nat = () => Nat.Current,
            SampleAsync = Nat.SampleAsync,
            IsThereAsync = Beacons.IsThereAsync,
            Spares = endpoint.Spares,
        };
        Beacons.ObserverFound += Nat.Begin;
        PortLives = endings.AddAsync(new PortLifeSurvey(endpoint, HasItself, time));
        Beacons.ObserverFound += PortLives.Begin;
        device.Pairing.Beacons = Beacons;
        Beacons.FormerKeys = () => FormerKeys.ToMeet(device.Registry);
        device.Registry.Changed += Beacons.Refresh;
        var policy = new RelayPolicy(settings.Relay.Offer, new ReachEvidence
        {
            Come = device.Directory.Came,
            HasCome = device.Directory.HasCome,
            IsOwn = Addresses.IsOwn,
            IsForwarded = () => settings.Announce is not null || _candidates.Of(CandidateKind.Mapped).Count > 0,
        });
        device.Hub.Connected += TakeWhoCame;
        _relaying = settings.Relay.Offer == RelayOffer.Off ? null : endings.AddAsync(new PeerRelay(
            endpoint, device.Identity, RelayLimits(settings.Relay), connection => policy.MayUse(connection.RemoteId, isIncoming: !connection.IsInitiator, connection.SeenAt), time));
        Gateway = settings.Gateway is { } wanted && GatewayService.TryCreate(endpoint.LocalAddresses, wanted, device.Identity, time, device.Log) is { } gateway ? endings.AddAsync(gateway) : null;
        Stun = settings.Stun.Servers.Count > 0 ? endings.AddAsync(new StunService(endpoint, settings.Stun, names, time)) : null;
        Turn = endings.AddAsync(new TurnService(endpoint, settings.Turn, device.Directory, Links, names, time, device.Log));
        foreach (ICandidateSource source in new ICandidateSource?[] { Gateway, Stun, Turn }.OfType<ICandidateSource>())
        {
            _candidates.Add(source);
        }

        Discoveries = endings.AddAsync(new Discoveries(settings, device.Identity, endpoint, device.Directory, device.Registry, Links, device.Data[DhtNodesFile.FileName], time, device.Log));
        CodePairing codes = endings.AddAsync(new CodePairing(endpoint, Discoveries.Lan, device.Identity, settings.DeviceName, device.Pairing.Book));
        codes.Guessed += from => Log.WrongCode(device.Log, from);
        device.Pairing.Codes = codes;
        Beacons.Carry(codes);
        _peerRelays = endings.AddAsync(new PeerRelays(endpoint, device.Hub, device.Directory, Links, device.Names.NameOf, time, device.Log));
    }

    public ConnectionHistory History { get; }

    public OwnAddresses Addresses { get; }

    public LinkService Links { get; }

    public NatSurvey Nat { get; }

    /// <summary>After how much silence the NAT takes ports back.</summary>
    public PortLifeSurvey PortLives { get; }

    /// <summary>Where hosts that are known by name answered.</summary>
    public NameMemory Names { get; }

    public BeaconService Beacons { get; }

    /// <summary>Null where no port is to be mapped.</summary>
    public GatewayService? Gateway { get; }

    /// <summary>Null without STUN servers.</summary>
    public StunService? Stun { get; }

    public TurnService Turn { get; }

    public Discoveries Discoveries { get; }

    /// <summary>Null where this device is no beacon.</summary>
    public BeaconRole? BeaconRole { get; }

    /// <exception cref="Errors.MeshException">AM0130, AM0154: an address of the role as a beacon; AM0102 to AM0104: its identity.</exception>
    public static async Task<ReachParts> OpenAsync(DeviceParts device, WorkerParts workers, Endings endings)
    {
        BeaconRole? role = device.Settings.BeaconRole is { } served
            ? endings.AddAsync(await BeaconRole.StartAsync(served, device.Data[BeaconRole.DirectoryName], device.Registry.IsOfMesh, device.Time).ConfigureAwait(false))
            : null;
        return new ReachParts(device, workers, role, endings);
    }

    /// <summary>What others are told of where this device is.</summary>
    public IReadOnlyList<IPEndPoint> Announced() => AnnouncedAddresses.Of(Addresses.Current, _candidates);

    /// <summary>What is known of the NAT before this device; null where no beacon has told anything.</summary>
    public NatView? NatView()
    {
        PortLife ports = PortLives.Current;
        return Nat.View(HasItself) is { } nat ? nat with { PortLivesMs = ports.Lives?.TotalMilliseconds, PortDiesMs = ports.Dies?.TotalMilliseconds } : null;
    }

    public void Start()
    {
        foreach (CacheFile damaged in new[] { _device.Directory.File, Names.File }.Where(file => file.Ignored > 0))
        {
            Log.MemoryDamaged(_device.Log, damaged.Ignored, damaged.Name, damaged.DamagedCopy);
        }

        TakeToldAddresses();
        if (_relaying is not null)
        {
            _device.Hub.Register(PeerRelay.Service, _relaying.ServeAsync);
            _relaying.Start();
        }

        _device.Hub.Start();
        Links.KeepAll();
        Discoveries.Start();
        Beacons.Start();
        Gateway?.Start();
        _peerRelays.Start();
        Stun?.Start();
        Turn.Start();
    }

    /// <summary>Who reaches this device by itself makes it one to meet at, also after its next start.</summary>
    private void TakeWhoCame(IMeshConnection connection)
    {
        if (connection is MeshConnection { IsInitiator: false, Path: { Kind: MeshPathInfo.Direct } path } && !IPAddress.IsLoopback(path.Remote.Address))
        {
            _device.Directory.Came(connection.RemoteId);
        }
    }

    /// <summary>An address of an interface.</summary>
    private bool HasItself(IPAddress address) => Addresses.Current.Any(own => own.Address.Equals(address));

    private static BeaconLimits RelayLimits(RelaySettings settings) =>
        new() { DevicesMax = 256, ChannelsMax = 8_192, BytesPerSecond = settings.BytesPerSecond, BurstBytes = settings.BytesPerSecond / 2 };

    /// <summary>Addresses of the configuration belong to no device in particular: every one that is known may be there.</summary>
    private void TakeToldAddresses()
    {
        IPEndPoint[] told = [.. _device.Settings.Peers.SelectMany(LocalAddresses.Resolve)];
        foreach (DeviceId other in told.Length > 0 ? _device.Registry.Devices.Keys : [])
        {
            _device.Directory.Told(other, told);
        }
    }
}
