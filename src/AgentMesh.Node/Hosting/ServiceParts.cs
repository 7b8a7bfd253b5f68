using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron.File;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Retention;
using AgentMesh.Node.Administration;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Node.Retention;
using AgentMesh.Node.RoundTrips;
using AgentMesh.Node.Schedules;
using AgentMesh.Node.Webhooks;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Node.Hosting;

/// <summary>What people ask a node for: commands, jobs and all that is made of them, schedules, trust.</summary>
internal sealed class ServiceParts
{
    private readonly StoreParts _stores;
    private readonly EntityHost _entityHost;
    private readonly GenerationKeeper _generations;

    public ServiceParts(
        DeviceParts device, StoreParts stores, WorkerParts workers, ReachParts reach, StreamParts streams, EntityHost entityHost, GenerationKeeper generations, DeviceChoice choice, OutputReading reading, NotifyPolicy notifyPolicy, SettingsSource source, Action restart, Endings endings)
    {
        (_stores, _entityHost, _generations) = (stores, entityHost, generations);
        (NodeSettings settings, TimeProvider time, DeviceId self) = (device.Settings, device.Time, device.Id);
        var caller = new Caller(self, settings.DeviceName, Environment.UserName);
        var entities = new Entities(generations, entityHost.Of, stores.Pool, time);
        var specs = new JobSpecs(settings, caller);
        UlidSource ids = UlidSource.Secure(time);
        Homes = new Homes(self, stores.Journal, stores.Pool, settings.Jobs.InPool);
        var notifying = new NotifyRequests(notifyPolicy);
        Arrays = new ArrayService(Homes, specs, device.Names, choice, entities, notifying, ids);
        Jobs = new JobService(Homes, caller, entities, Arrays, reading, new RemoteOutput(device.Hub, time), device.Names, time);
        var serving = new OutputServing((reader, request, cancel) => Jobs.ReadForAsync(reader, MayRead(device.Registry, reader), request, cancel));
        device.Hub.Register(OutputServices.Read, (connection, stream, cancel) => serving.ServeAsync(connection.RemoteId, stream, cancel));
        AdministrationAudit = new AdministrationAudit(stores.Audit, device.Registry, time, device.Log);
        Administrators = endings.Add(new Administrators(device.Registry, AdministrationAudit));
        device.Hub.Register(ControlStream.Service, (connection, stream, cancel) => Administrators.ServeAsync(connection.RemoteId, stream, cancel));
        Remote = new RemoteControl(device.Names, reach.Links, device.Directory, device.Hub, time);
        Retention = endings.AddAsync(new JobRetention(RetainedHomes(self), settings.Jobs.Retained, entities, time, device.Log));
        Artifacts = new ArtifactService(stores.Artifacts, Homes, Jobs);
        Workflows = new WorkflowService(Homes, specs, device.Names, choice, entities, Artifacts, notifying, ids);
        Groups = new GroupService(Homes, entities);
        Crons = endings.Add(new CronService(Homes, specs, device.Names, choice, entities, Jobs, notifying, ids));
        string cronPath = settings.CronFile.Length > 0 ? settings.CronFile : device.Data[Mesh.Cron.File.CronFile.FileName];
        CronFile = endings.AddAsync(new CronFileKeeper(cronPath, device.Data["cron-file.applied"], Crons, time, device.Log));
        Inputs = new InputService(Jobs, streams.Feeder, time);
        Pipes = new PipeService(self, specs, choice, reach.Links, entities, Jobs, streams.Feeder, Handles, ids, settings.Programs.InputGrace, time);
        Audit = new AuditService(stores.Audit, device.Names);
        Pings = new PingService(device.Names, reach.Links, device.Directory, device.Hub, time);
        Connecting = new ConnectService(device.Hub, reach.Links, device.Directory, device.Names, time);
        Changed = new ChangedSettings(source, settings.DataDirectory, Apply);
        Commands = new CommandService(self, Homes, specs, choice, device.Directory, reach.Links, OwnPlace, entities, Jobs, Artifacts, notifying, streams.Pace, ids, time);
        Rotation = endings.AddAsync(new KeyRotation(device.Data.Root, device.Identity, device.Registry, device.Names, reach.Links, device.Hub, restart, time, device.Log));
        RevocationKeeper revocations = endings.AddAsync(new RevocationKeeper(device.Registry, workers.Table, time, device.Log));
        endings.Add(new IntroductionNotices(device.Registry, device.Log));
        endings.Add(new OwnForkNotice(device.Registry, self, device.Log));
        Trust = new TrustService(device.Identity, device.Registry, device.Directory, device.Names, reach.Links, device.Hub, workers.Table, revocations, time);

        void Apply(ConnectionsSettings now)
        {
            device.Policy.Settings = now;
            device.Endpoint.BytesPerSecondMax = now.BytesPerSecondUp;
            device.Endpoint.BytesPerSecondReceivedMax = now.BytesPerSecondDown;
            reach.Links.LookAgain();
        }

        bool Handles(DeviceId on, string name) => on == self ? workers.Handlers.All.Any(handler => handler.Name == name) : device.Directory.Hello(on)?.Capabilities.Contains(name) == true;

        string OwnPlace() => reach.Addresses.Current is [{ } first, ..] ? first.ToString() : "local";
    }

    public Homes Homes { get; }

    public CommandService Commands { get; }

    public JobService Jobs { get; }

    public JobRetention Retention { get; }

    public ArrayService Arrays { get; }

    public WorkflowService Workflows { get; }

    public GroupService Groups { get; }

    public CronService Crons { get; }

    public CronFileKeeper CronFile { get; }

    public ArtifactService Artifacts { get; }

    public InputService Inputs { get; }

    public PipeService Pipes { get; }

    public AuditService Audit { get; }

    public AdministrationAudit AdministrationAudit { get; }

    /// <summary>Devices that administer this one.</summary>
    public Administrators Administrators { get; }

    /// <summary>The way to devices that this one administers.</summary>
    public RemoteControl Remote { get; }

    public PingService Pings { get; }

    public ConnectService Connecting { get; }

    public ChangedSettings Changed { get; }

    public TrustService Trust { get; }

    public KeyRotation Rotation { get; }

    private static bool MayRead(DeviceRegistry registry, DeviceId reader) => registry.Devices.TryGetValue(reader, out RegisteredDevice? known) && known.Grants.Contains(Mesh.Grants.Grant.Logs);

    private IReadOnlyList<RetainedHome> RetainedHomes(DeviceId self) =>
    [
        new RetainedHome(self, () => _stores.Journal, message => RegionOf(self, message), _stores.Outputs.DeleteAsync),
        .. _stores.Pool is { } pool ? [new RetainedHome(pool.Home, () => pool.StoreOf(_generations.Live?.System), message => RegionOf(pool.Home, message), null)] : Array.Empty<RetainedHome>(),
    ];

    private IActorRef? RegionOf(HomeId home, object removed) =>
        _generations.Live is { } live && _entityHost.Of(live)?.TypesOf(home) is { } types ? removed is JobRemoved ? types.Jobs : removed is ArrayRemoved ? types.Arrays : types.Workflows : null;
}
