using System.Net;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Administration;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Audit;
using AgentMesh.Node.Control;
using AgentMesh.Node.Output;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Schedules;
using AgentMesh.Node.Webhooks;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace AgentMesh.Node.Hosting;

/// <summary>A node: puts the parts together, starts them in order and ends them in the opposite one. One per data directory.</summary>
public sealed class NodeHost : IAsyncDisposable
{
    private static readonly TimeSpan MemberWithin = TimeSpan.FromSeconds(15);

    private readonly Endings _endings = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DeviceParts _device = null!;
    private volatile bool _again;

    private NodeHost()
    {
    }

    public string LocalId => _device.Id.ToString();

    public IReadOnlyList<IPEndPoint> Addresses => _device.Endpoint.LocalAddresses;

    /// <summary>As they were changed since the start.</summary>
    public ConnectionsSettings Connections => _device.Policy.Settings;

    public string Durability => SqliteEventStore.Durability;

    /// <summary>A node, until somebody asks it to stop or the token is cancelled. One that starts again by itself, with another key, keeps its directory and its addresses.</summary>
    /// <param name="isUp">Called each time it has started.</param>
    /// <exception cref="MeshException">A part cannot start; what had started is ended again.</exception>
    public static async Task RunAsync(NodeSettings settings, SettingsSource source, TimeProvider time, Action<NodeHost> isUp, CancellationToken cancellationToken)
    {
        using DataDirectory data = DataDirectory.Open(settings.DataDirectory, Environment.ProcessId);
        ControlServer.RemoveLeftOver(settings.ControlSocket);
        for (bool again = true; again;)
        {
            await using NodeHost node = await StartAsync(data, settings, source, time, cancellationToken).ConfigureAwait(false);
            isUp(node);
            again = await node.RunUntilStopped(cancellationToken).ConfigureAwait(false);

            // Others look for it where it was.
            settings = settings with { Listen = node.Addresses, Connections = node.Connections };
        }
    }

    public ValueTask DisposeAsync() => _endings.DisposeAsync();

    /// <summary>Starts everything; completes when this device is a member of a cluster, even if only of its own.</summary>
    private static async Task<NodeHost> StartAsync(DataDirectory data, NodeSettings settings, SettingsSource source, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = new NodeHost();
        try
        {
            await host.BuildAsync(data, settings, source, time, cancellationToken).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <returns>True when the node is to be started again at once.</returns>
    private async Task<bool> RunUntilStopped(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.Register(() => _stopped.TrySetResult());
        await _stopped.Task.ConfigureAwait(false);
        return _again && !cancellationToken.IsCancellationRequested;
    }

    private async Task BuildAsync(DataDirectory data, NodeSettings settings, SettingsSource source, TimeProvider time, CancellationToken cancellationToken)
    {
        GenerationKeeper? generations = null;
        DeviceParts device = _device = DeviceParts.Open(data, settings, time, _endings);
        var stores = new StoreParts(device, _endings);
        WorkerParts workers = _endings.AddAsync(WorkerParts.Open(device, new ArtifactCarrier(stores.Artifacts, PlaceOf, device.Hub, time)));
        ReachParts reach = await ReachParts.OpenAsync(device, workers, _endings).ConfigureAwait(false);

        var choice = new DeviceChoice(device.Id, device.Names, settings.Labels, device.Directory, reach.Links, () => workers.Load, time);
        var reading = new OutputReading(stores.Outputs, time);
        var permissions = new CommandPermissions(device.Id, settings.DeviceName, device.Registry, settings.CommandsNeedGrant, settings.ConfinesPrograms, workers.WorkingDirectory);
        var notifyPolicy = new NotifyPolicy(settings.CronNotify);
        WebhookSecrets.Read(settings.CronNotify.SecretFile);
        WebhookClient webhooks = _endings.Add(new WebhookClient(notifyPolicy, Dns.GetHostAddressesAsync, NodeServices.Version, time));
        Notifier notifier = _endings.Add(new Notifier(webhooks.SendAsync, reading.ReadEndsAsync, settings.CronNotify.SecretFile));
        var entityHost = new EntityHost(
            device.Id, device.Life, settings, device.Registry, reach.Links, device.Directory, choice, permissions, device.Hub, workers.Table, new AttemptAudit(stores.Audit, time, device.Log), stores.Journal, new CronLog(device.Data["logs/cron"], device.Log), notifier, reading, stores.Pool, stores.Artifacts, time);
        generations = _endings.AddAsync(new GenerationKeeper(reach.Links, device.Directory, () => NewSystem(device, stores, reach), entityHost.Equip, time, device.Log));
        var streams = new StreamParts(device, stores, workers, entityHost, generations, PlaceOf, _endings);
        var services = new ServiceParts(device, stores, workers, reach, streams, entityHost, generations, choice, reading, notifyPolicy, source, Restart, _endings);

        reach.Start();
        generations.Start();
        services.CronFile.Start();
        await generations.CurrentAsync(MemberWithin, cancellationToken).ConfigureAwait(false);
        var control = new NodeServices(new NodeParts(device, stores, workers, reach, generations, services), Stop, Restart);
        var wall = new AdministrationWall(settings.DeviceName, services.Administrators, services.AdministrationAudit);
        _endings.AddAsync(await ControlServer.StartAsync(settings.ControlSocket, control, (services.Administrators.Listener, wall)).ConfigureAwait(false));
        if (device.NextIdentity is not null)
        {
            services.Rotation.GoOn(device.NextIdentity);
        }

        DeviceId? PlaceOf(HomeId home) => OutputPlaces.Of(home, device.Id, stores.Pool, generations?.Live?.System);
    }

    private static ActorSystem NewSystem(DeviceParts device, StoreParts stores, ReachParts reach) => ActorSystem.Create(
        EngineConfig.SystemName,
        ActorSystemSetup.Create(
            new MeshTransportSetup(device.Hub, device.Time) { IsInTouch = reach.Links.IsInTouch },
            BootstrapSetup.Create().WithConfig(EngineConfig.Create(device.Settings, device.Id, stores.JournalSettings, stores.Pool?.Settings))));

    private void Stop() => _stopped.TrySetResult();

    private void Restart()
    {
        _again = true;
        Stop();
    }
}
