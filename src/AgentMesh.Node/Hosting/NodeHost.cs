using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using System.Net;
using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Journal.Audit;
using AgentMesh.Mesh.Retention;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron.File;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Audit;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Control;
using AgentMesh.Node.Input;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Output;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Pipes;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Retention;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Node.Schedules;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Transport.Pairing;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Handlers;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Hosting;

/// <summary>A node: puts the parts together, starts them in order and ends them in the opposite one. One per data directory.</summary>
public sealed class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan MemberWithin = TimeSpan.FromSeconds(15);

    private readonly Stack<Func<ValueTask>> _end = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeParts _parts = null!;
    private volatile bool _again;

    private NodeHost()
    {
    }

    public string LocalId => _parts.Identity.Id.ToString();

    public IReadOnlyList<IPEndPoint> Addresses => _parts.Endpoint.LocalAddresses;

    public string Durability => SqliteEventStore.Durability;

    /// <summary>Starts everything; completes when this device is a member of a cluster, even if only of its own.</summary>
    /// <exception cref="MeshException">A part cannot start; what had started is ended again.</exception>
    public static async Task<NodeHost> StartAsync(NodeSettings settings, Config configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = new NodeHost();
        try
        {
            await host.BuildAsync(settings, configuration, time, cancellationToken).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Until somebody asks the node to stop, or the token is cancelled.</summary>
    /// <returns>True when the node is to be started again at once.</returns>
    public async Task<bool> RunUntilStopped(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.Register(() => _stopped.TrySetResult());
        await _stopped.Task.ConfigureAwait(false);
        return _again && !cancellationToken.IsCancellationRequested;
    }

    public async ValueTask DisposeAsync()
    {
        while (_end.TryPop(out Func<ValueTask>? end))
        {
            await end().ConfigureAwait(false);
        }
    }

    private async Task BuildAsync(NodeSettings settings, Config configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        var data = Ending(DataDirectory.Open(settings.DataDirectory, Environment.ProcessId));
        ILoggerFactory loggers = Ending(LoggerFactory.Create(logging => logging.SetMinimumLevel(LevelOf(settings.LogLevel)).AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        })));
        ILogger log = loggers.CreateLogger("node");
        if (BurntIdentity.Replace(data.Root) is { } old)
        {
            Log.NewIdentity(log, old);
        }

        (DeviceIdentity identity, DeviceIdentity? nextIdentity) = KeyRotation.Load(data.Root);
        DeviceRegistry registry = Ending(DeviceRegistry.Open(data[DeviceRegistry.FileName], identity, time, nextIdentity, settings.Introductions));
        var directory = new DeviceDirectory(data["devices.json"], time);
        registry.Changed += ShowAdmitted;
        ShowAdmitted();
        var pairing = new PairingService(identity, settings, registry, directory, time, log);
        KeyLogFile? keyLog = settings.Security.KeyLog is { } path ? Ending(KeyLogFile.Open(path)) : null;
        if (keyLog is not null)
        {
            Log.KeyLogOn(log, settings.Security.KeyLog!);
        }

        MeshEndpoint endpoint = EndingAsync(MeshEndpoint.Open(identity, pairing, StampFile.Open(data.Root), EndpointSettings(settings, keyLog), SystemEntropy.Instance, time));
        foreach (MeshSocketInfo socket in endpoint.Sockets)
        {
            Log.Listens(log, socket.Local, socket.ReceiveBufferBytes, socket.SendBufferBytes, socket.BufferBytesAsked, socket.SendsBatches, socket.ReceivesBatches);
        }

        ConnectionHub hub = EndingAsync(new ConnectionHub(endpoint, directory, time));
        hub.Connected += pairing.Connected;
        EndingAsync(new Departures(registry, pairing, hub));

        EventStoreSettings journalSettings = new() { Path = data["journal.db"] };
        StoreLease<SqliteEventStore> journal = Ending(EventStoreRegistry.Acquire(journalSettings, time));
        PoolHost? pool = PoolOf(settings, identity.Id, time);
        OutputStore files = Ending(OutputStore.Open(new OutputStoreSettings { Directory = data["output"], BytesMax = settings.Output.RetainedBytesMax, JobBytesMax = settings.Output.JobBytesMax }, time));
        IOutputStore outputs = pool is null ? files : new RoutedOutput(files, EndingAsync(pool.Pool.OpenOutput(settings.Output.JobBytesMax, settings.Pool!.OutputRetained)));
        HandlerRegistry handlers = WorkerParts.HandlersOf(settings, data.Root, time);
        AuditLog audit = Ending(AuditLog.Open(new AuditLogSettings(data["audit"], settings.AuditRetainedBytesMax), time));
        ArtifactStores artifacts = ArtifactsOf(settings, identity.Id, data["artifacts"], pool, time);
        GenerationKeeper? keeper = null;
        DeviceId? PlaceOf(HomeId home) => OutputPlaces.Of(home, identity.Id, pool, keeper?.Live?.System);
        WorkerParts workers = EndingAsync(WorkerParts.Open(settings, identity.Id, data, handlers, new ArtifactCarrier(artifacts, PlaceOf, hub, time), time, log));
        ExecutionTable table = workers.Table;
        long life = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) & long.MaxValue | 1;
        ConnectionHistory history = Ending(new ConnectionHistory(data[ConnectionHistory.FileName], data[ConnectionHistory.OlderFileName], life, hub, time));
        OwnAddresses addresses = Ending(new OwnAddresses(endpoint.LocalAddresses, settings.Announce, time));
        CandidateList candidates = Ending(new CandidateList());
        TurnService? turn = null;
        LinkService links = EndingAsync(new LinkService(hub, directory, new RegistryExchange(registry), settings.Link, () => HelloOf(settings, Announced(), turn, candidates, handlers, life), time));
        candidates.Add(addresses);
        candidates.Changed += links.TakeNewCandidates;
        links.OwnLoad = OwnLoad;
        links.Changed += pairing.AdmitIfKnown;
        links.PathChanged += (device, path) => Log.PathIs(log, device.ToString(), path.Description, path.Place);
        NatSurvey nat = EndingAsync(new NatSurvey(endpoint));
        BeaconService beacons = EndingAsync(new BeaconService(
            settings.Beacons, new BeaconClientSettings { Proxy = settings.BeaconProxy }, new BeaconFile(data[BeaconFile.FileName]), identity.Id, endpoint, directory, links, candidates, pairing.Book, time, log));
        links.Help = new PunchHelp
        {
            Candidates = () => candidates.Direct,
            Outside = () => beacons.Outside,
            Nat = () => nat.Current,
            SampleAsync = nat.SampleAsync,
            IsThereAsync = beacons.IsThereAsync,
            Spares = endpoint.Spares,
        };
        beacons.ObserverFound += nat.Begin;
        pairing.Beacons = beacons;
        PeerRelay? relaying = settings.Relay.Offer == RelayOffer.Off ? null : EndingAsync(new PeerRelay(
            endpoint, identity, RelayLimits(settings.Relay), connection => settings.Relay.Offer == RelayOffer.On || !connection.IsInitiator, time));
        registry.Changed += beacons.Refresh;
        GatewayService? gateway = settings.Gateway is { } wanted && GatewayService.TryCreate(endpoint.LocalAddresses, wanted, identity, time, log) is { } created ? EndingAsync(created) : null;
        if (gateway is not null)
        {
            candidates.Add(gateway);
        }

        StunService? stun = settings.Stun.Servers.Count > 0 ? EndingAsync(new StunService(endpoint, settings.Stun, time)) : null;
        if (stun is not null)
        {
            candidates.Add(stun);
        }

        BeaconRole? role = settings.BeaconRole is { } served
            ? EndingAsync(await BeaconRole.StartAsync(served, data[BeaconRole.DirectoryName], registry.IsOfMesh, time).ConfigureAwait(false))
            : null;
        turn = EndingAsync(new TurnService(endpoint, settings.Turn, directory, links, time, log));
        candidates.Add(turn);
        Discoveries discoveries = EndingAsync(new Discoveries(settings, identity, endpoint, directory, registry, links, data[DhtNodesFile.FileName], time, log));
        pairing.Codes = EndingAsync(new CodePairing(endpoint, discoveries.Lan, identity, settings.DeviceName, pairing.Book));
        beacons.Carry(pairing.Codes);
        pairing.Codes.Guessed += from => Log.WrongCode(log, from);

        var devices = new Devices(identity.Id, settings.DeviceName, registry, directory);
        KeyRotation rotation = EndingAsync(new KeyRotation(data.Root, identity, registry, devices, links, hub, Restart, time, log));
        RevocationKeeper revocations = EndingAsync(new RevocationKeeper(registry, table, time, log));
        PeerRelays peerRelays = EndingAsync(new PeerRelays(endpoint, hub, directory, links, devices.NameOf, time, log));
        var choice = new DeviceChoice(identity.Id, devices, settings.Labels, directory, links, OwnLoad, time);
        var outputReading = new OutputReading(outputs, time);
        var entityHost = new EntityHost(identity.Id, life, settings, registry, links, directory, choice, hub, table, new AttemptAudit(audit, time, log), journal.Store, new CronLog(data["logs/cron"], log), outputReading, pool, artifacts, time);
        GenerationKeeper generations = EndingAsync(new GenerationKeeper(links, directory, () => NewSystem(settings, identity.Id, journalSettings, pool?.Settings, hub, links, time), entityHost.Equip, time, log));
        keeper = generations;
        var pace = new BulkPace(settings.Output.BesideCommands is > 0 and var rate ? rate * Environment.ProcessorCount : null, time);
        table.Called += pace.CommandSeen;
        var intake = new OutputIntake(outputs, (job, attempt, from, cancel) => entityHost.MayDeliverAsync(generations.Live is { } live ? entityHost.Of(live) : null, job, attempt, from, cancel), pace);
        EndingAsync(new OutputShipper(identity.Id, PlaceOf, table, hub, intake, pace, time));
        hub.Register(OutputServices.Append, intake.ServeAsync);
        var inputs = new InputIntake(
            table, (job, attempt, from, cancel) => entityHost.RouteInputAsync(generations.Live is { } live ? entityHost.Of(live) : null, job, attempt, from, cancel), (device, cancel) => hub.OpenAsync(device, InputIntake.Service, StreamPriority.Bulk, cancel));
        var feeder = new InputFeeder(identity.Id, hub, inputs, time);
        EndingAsync(new PipeShipper(table, feeder, pace));
        hub.Register(InputIntake.Service, (connection, stream, cancel) => inputs.ServeAsync(connection.RemoteId, stream, cancel));
        var artifactIntake = new ArtifactIntake(artifacts, (job, attempt, from, cancel) => entityHost.MayTransferAsync(generations.Live is { } live ? entityHost.Of(live) : null, job, attempt, from, cancel), time);
        hub.Register(ArtifactServices.Append, artifactIntake.TakeAsync);
        hub.Register(ArtifactServices.Read, artifactIntake.GiveAsync);
        hub.Register(PingResponder.Service, new PingResponder(time).ServeAsync);

        var caller = new Caller(identity.Id, settings.DeviceName, Environment.UserName);
        var homes = new Homes(identity.Id, journal.Store, pool, settings.Jobs.InPool);
        var entities = new Entities(generations, entityHost.Of, pool, time);
        var specs = new JobSpecs(settings, caller);
        UlidSource ids = UlidSource.Secure(time);
        var arrays = new ArrayService(homes, specs, devices, choice, entities, ids);
        var jobs = new JobService(homes, caller, entities, arrays, outputReading, new RemoteOutput(hub, time), devices, time);
        var serving = new OutputServing((reader, request, cancel) =>
            jobs.ReadForAsync(reader, registry.Devices.TryGetValue(reader, out RegisteredDevice? known) && known.Grants.Contains(Mesh.Grants.Grant.Logs), request, cancel));
        hub.Register(OutputServices.Read, (connection, stream, cancel) => serving.ServeAsync(connection.RemoteId, stream, cancel));
        JobRetention retention = EndingAsync(new JobRetention(RetainedHomes(), settings.Jobs.Retained, entities, time, log));
        var artifactService = new ArtifactService(artifacts, homes, jobs);
        var crons = Ending(new CronService(homes, specs, devices, choice, entities, jobs, ids));
        string cronPath = settings.CronFile.Length > 0 ? settings.CronFile : data[CronFile.FileName];
        CronFileKeeper cronFile = EndingAsync(new CronFileKeeper(cronPath, data["cron-file.applied"], crons, time, log));
        _parts = new NodeParts
        {
            Settings = settings,
            Identity = identity,
            History = history,
            Rotation = rotation,
            Registry = registry,
            Directory = directory,
            Devices = devices,
            Endpoint = endpoint,
            Hub = hub,
            Links = links,
            Beacons = beacons,
            Nat = nat,
            Generations = generations,
            Handlers = handlers,
            Workers = workers,
            Pairing = pairing,
            Jobs = jobs,
            Retention = retention,
            Homes = homes,
            Inputs = new InputService(jobs, feeder, time),
            Pipes = new PipeService(
                identity.Id, specs, choice, links, entities, jobs, feeder, (device, name) => device == identity.Id ? handlers.All.Any(handler => handler.Name == name) : directory.Hello(device)?.Capabilities.Contains(name) == true, ids, settings.Programs.InputGrace, time),
            Audit = new AuditService(audit, devices),
            Groups = new GroupService(homes, entities),
            Crons = crons,
            CronFile = cronFile,
            Arrays = arrays,
            Workflows = new WorkflowService(homes, specs, devices, choice, entities, artifactService, ids),
            Artifacts = artifactService,
            Pings = new PingService(devices, links, directory, hub, time),
            Commands = new CommandService(identity.Id, homes, specs, choice, directory, links, () => addresses.Current is [{ } first, ..] ? first.ToString() : "local", entities, jobs, artifactService, pace, ids, time),
            Trust = new TrustService(identity, registry, directory, devices, links, hub, table, revocations, time),
            Addresses = addresses,
            Announced = Announced,
            Gateway = gateway,
            Stun = stun,
            Discoveries = discoveries,
            BeaconRole = role,
            Turn = turn,
            Pool = pool,
            Time = time,
        };
        ToldAddresses(settings, registry, directory);
        if (relaying is not null)
        {
            hub.Register(PeerRelay.Service, relaying.ServeAsync);
            relaying.Start();
        }

        hub.Start();
        links.KeepAll();
        discoveries.Start();
        beacons.Start();
        gateway?.Start();
        peerRelays.Start();
        stun?.Start();
        turn.Start();
        generations.Start();
        cronFile.Start();
        await generations.CurrentAsync(MemberWithin, cancellationToken).ConfigureAwait(false);
        EndingAsync(await ControlServer.StartAsync(settings.ControlSocket, new NodeServices(_parts, configuration.GetConfig("agentmesh").ToString(includeFallback: true), () => _stopped.TrySetResult(), Restart)).ConfigureAwait(false));
        if (nextIdentity is not null)
        {
            rotation.GoOn(nextIdentity);
        }

        IReadOnlyList<IPEndPoint> Announced() => AnnouncedAddresses.Of(addresses.Current, candidates);

        DeviceLoad OwnLoad()
        {
            AdmissionState now = table.Admission;
            return new DeviceLoad(now.Running, now.Waiting, now.Capacity, now.Free);
        }

        IReadOnlyList<RetainedHome> RetainedHomes() =>
        [
            new RetainedHome(identity.Id, () => journal.Store, message => RegionOf(identity.Id, message), outputs.DeleteAsync),
            .. pool is null ? [] : new[] { new RetainedHome(pool.Home, () => pool.StoreOf(generations.Live?.System), message => RegionOf(pool.Home, message), null) },
        ];

        IActorRef? RegionOf(HomeId home, object removed) =>
            generations.Live is { } live && entityHost.Of(live)?.TypesOf(home) is { } types ? removed is JobRemoved ? types.Jobs : removed is ArrayRemoved ? types.Arrays : types.Workflows : null;

        void Restart()
        {
            _again = true;
            _stopped.TrySetResult();
        }

        void ShowAdmitted()
        {
            foreach (RegisteredDevice device in registry.Devices.Values.Where(device => device.FormerKeys.Count > 0))
            {
                directory.Unite(device.Key.Id, device.Id);
            }

            directory.Admitted = registry.Devices.ToDictionary(device => device.Key, device => device.Value.Key);
        }
    }

    private static ActorSystem NewSystem(NodeSettings settings, DeviceId self, EventStoreSettings journal, PostgresSettings? pool, ConnectionHub hub, LinkService links, TimeProvider time) => ActorSystem.Create(
        EngineConfig.SystemName,
        ActorSystemSetup.Create(new MeshTransportSetup(hub, time) { IsInTouch = links.IsInTouch }, BootstrapSetup.Create().WithConfig(EngineConfig.Create(settings, self, journal, pool))));

    private PoolHost? PoolOf(NodeSettings settings, DeviceId self, TimeProvider time)
    {
        if (settings.Pool is not { } wanted)
        {
            return null;
        }

        var postgres = new PostgresSettings
        {
            Pool = HomeId.Pool(wanted.Name).ToString(),
            ConnectionString = PoolConnection.Read(wanted, Environment.GetEnvironmentVariable),
            Device = self.ToString(),
            DeviceName = settings.DeviceName,
            Lease = wanted.Lease,
            AppendTimeout = wanted.AppendTimeout,
            Readers = wanted.Readers,
        };
        return new PoolHost(EndingAsync(PostgresPool.Open(postgres, time)), postgres, wanted.Name, time);
    }

    private ArtifactStores ArtifactsOf(NodeSettings settings, DeviceId self, string directory, PoolHost? pool, TimeProvider time)
    {
        ArtifactSettings wanted = settings.Artifacts;
        var device = new ArtifactStoreSettings(directory, wanted.RetainedBytesMax, wanted.SizeMax, wanted.RetainedFor, wanted.SafeFor);
        return new ArtifactStores(
            self,
            ArtifactStore.Open(device, time),
            pool?.Home,
            pool is null ? null : EndingAsync(pool.Pool.OpenArtifacts(device with { BytesMax = settings.Pool!.ArtifactBytesMax, SizeMax = settings.Pool.ArtifactSizeMax }, time)));
    }

    private static MeshEndpointSettings EndpointSettings(NodeSettings settings, KeyLogFile? keyLog) => new()
    {
        Handshake = new HandshakeSettings { Rekey = new RekeySettings { Interval = settings.Security.KeyRotation }, KeyLog = keyLog },
        Listen = settings.Listen,
        Offload = settings.Udp.Offload,
        SocketBufferBytes = settings.Udp.BufferBytes,
        Connection = new ConnectionSettings
        {
            KeepAlive = settings.Link.KeepAlive,
            PeerTimeout = settings.Link.DeadAfter > settings.Link.KeepAlive ? settings.Link.DeadAfter - settings.Link.KeepAlive : settings.Link.DeadAfter,
            IdleTimeout = TimeSpan.Zero,
            Congestion = settings.Udp.Congestion,
        },
    };

    private static BeaconLimits RelayLimits(RelaySettings settings) =>
        new() { DevicesMax = 256, ChannelsMax = 8_192, BytesPerSecond = settings.BytesPerSecond, BurstBytes = settings.BytesPerSecond / 2 };

    private static Hello HelloOf(NodeSettings settings, IReadOnlyList<IPEndPoint> addresses, TurnService? turn, CandidateList candidates, HandlerRegistry handlers, long life)
    {
        var hello = new Hello
        {
            Version = 1,
            Name = settings.DeviceName,
            Platform = DeviceNames.Platform,
            HostName = Environment.MachineName,
            ProductVersion = NodeServices.Version,
            Life = life,
        };
        hello.Addresses.AddRange(addresses.Select(address => address.ToString()));
        hello.Relayed.AddRange(LinkContent.Of(turn?.Places ?? []));
        hello.Seen.AddRange(candidates.Of(CandidateKind.Observed).Select(address => address.Address).Concat(turn?.SeenAt ?? []).Distinct().Take(AddressText.HostsMax).Select(address => address.ToString()));
        hello.Labels.AddRange(settings.Labels);
        hello.Capabilities.AddRange(handlers.All.Select(handler => handler.Name).Take(64));
        return hello;
    }

    /// <summary>Addresses of the configuration belong to no device in particular: every one that is known may be there.</summary>
    private static void ToldAddresses(NodeSettings settings, DeviceRegistry registry, DeviceDirectory directory)
    {
        IPEndPoint[] told = [.. settings.Peers.SelectMany(LocalAddresses.Resolve)];
        foreach (DeviceId device in told.Length > 0 ? registry.Devices.Keys : [])
        {
            directory.Told(device, told);
        }
    }

    private static LogLevel LevelOf(string level) => level switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.None,
    };

    private T Ending<T>(T part)
        where T : IDisposable
    {
        _end.Push(() =>
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        });
        return part;
    }

    private T EndingAsync<T>(T part)
        where T : IAsyncDisposable
    {
        _end.Push(part.DisposeAsync);
        return part;
    }
}
