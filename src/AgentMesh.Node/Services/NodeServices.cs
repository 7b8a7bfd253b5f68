using System.Reflection;
using AgentMesh.Beacon.Client;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Control;
using AgentMesh.Node.Hosting;
using AgentMesh.Node.Links;
using AgentMesh.Node.Membership;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Retention;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using Akka.Cluster;

namespace AgentMesh.Node.Services;

/// <summary>What the control API offers, from the parts of the node.</summary>
internal sealed class NodeServices : IControlServices
{
    private readonly DeviceParts _device;
    private readonly StoreParts _stores;
    private readonly WorkerParts _workers;
    private readonly ReachParts _reach;
    private readonly GenerationKeeper _generations;
    private readonly ServiceParts _services;
    private readonly DateTimeOffset _startedAt;
    private readonly Action _stop;
    private readonly Action _restart;

    public NodeServices(NodeParts parts, Action stop, Action restart)
    {
        (_device, _stores, _workers, _reach, _generations, _services) = parts;
        _startedAt = parts.Device.Time.GetUtcNow();
        _stop = stop;
        _restart = restart;
    }

    public static string Version { get; } = typeof(NodeServices).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public async Task<StatusView> StatusAsync(CancellationToken cancellationToken)
    {
        Generation? generation = _generations.Live;
        IReadOnlyList<NamedDevice> all = _device.Names.All;
        MemberView[] members = [.. (generation?.Members ?? []).Select(member => new MemberView(
            member.Device.ToString(), all.FirstOrDefault(device => device.Id == member.Device)?.Name, member.Status.ToString().ToLowerInvariant(), member.IsReachable))];
        return new StatusView(
            _device.Settings.DeviceName,
            _device.Identity.Id.ToString(),
            Version,
            "embedded actor engine",
            Environment.ProcessId,
            _startedAt,
            _device.Settings.DataDirectory,
            [.. _reach.Announced().Select(address => address.ToString())],
            SqliteEventStore.Durability,
            _generations.Number,
            members,
            all.Count - 1,
            _reach.Links.Linked.Count,
            _workers.Table.Running,
            Environment.WorkingSet,
            [.. _reach.Beacons.Clients.Select(ViewOf)],
            Pool: _stores.Pool is { } pool ? await PoolViews.OfAsync(pool, generation, cancellationToken).ConfigureAwait(false) : null)
        {
            Connections = ConnectionsOf(_device.Policy.Settings),
            Paths = PathViews.Sum(_reach.Links.Linked.Select(_device.Hub.Find).OfType<IMeshConnection>()),
            Gateway = _reach.Gateway?.View(),
            Nat = _reach.NatView(),
            Stun = _reach.Stun?.View(),
            BeaconRole = _reach.BeaconRole?.View(),
            Discovery = _reach.Discoveries.View(),
            Turn = _reach.Turn.View(),
            Key = _device.Registry.OwnFork is { } fork ? Problems.Describe(OwnForkNotice.ProblemOf(fork, _device.Id)).Problem : null,
            SettingsFile = _device.Settings.ConfigFile ?? "",
        };
    }

    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<PeerView>>([.. _device.Names.All.Select(ViewOf)]);

    public Task<DiagnosticsView> DiagnosticsAsync()
    {
        MeshEndpointCounters packets = _device.Endpoint.Counters;
        ConnectionHubCounters streams = _device.Hub.Counters;
        return Task.FromResult(new DiagnosticsView(
            [.. _device.Endpoint.LocalAddresses.Select(address => address.ToString())],
            new PacketCountersView(
                packets.DatagramsReceived,
                packets.DatagramsSent,
                packets.Malformed,
                packets.Strangers,
                packets.RefusedHandshakes,
                packets.ForUnknownConnections,
                packets.NotAuthentic,
                packets.SendFailures),
            new StreamCountersView(
                streams.AcceptedStreams.Value,
                streams.RefusedStreams.Value,
                streams.BadHeaders.Value,
                streams.UnknownServices.Value,
                streams.FailedHandlers.Value,
                streams.LastHandlerFailure is { } failure ? $"{failure.GetType().Name}: {failure.Message}" : null),
            _workers.Table.Running,
            _device.Settings.Jobs.RunningMax)
        {
            Memory = MemoryViews.Of(_device.Directory, _reach.Names),
            Confinement = new ConfinementView(_device.Settings.ConfinesPrograms, _workers.Fence.Kernel.Abi, _workers.Fence.Kernel.KeepsSignals, _workers.Fence.WhyNot, _device.Registry.Devices.Values.Any(device => Confinement.IsFor(device.Grants))),
            Cgroups = new CgroupsView(_workers.Cgroups?.Directory, _workers.Cgroups?.Controllers ?? [], _device.Settings.Programs.CgroupLimits, _workers.WhyNoCgroups),
        });
    }

    public Task<ConfigView> ConfigAsync() => Task.FromResult(new ConfigView(_services.Changed.Text()));

    public Task<IReadOnlyList<PairingView>> PairingsAsync() => Task.FromResult(_device.Pairing.Done);

    public Task<IReadOnlyList<InvitationStateView>> InvitationsAsync() => Task.FromResult(_device.Pairing.Invitations);

    public Task<InvitationView> InviteAsync(InviteRequest request)
    {
        CheckGiven(request.Grants);
        return _device.Pairing.InviteAsync(request, _reach.Announced());
    }

    public Task<PairingView> JoinAsync(JoinRequest request, CancellationToken cancellationToken)
    {
        CheckGiven(request.Grants);
        return _device.Pairing.JoinAsync(request, _device.Endpoint, _reach.Links, cancellationToken);
    }

    public Task<IMeshStream> OpenControlAsync(string device, CancellationToken cancellationToken) => _services.Remote.OpenAsync(device, cancellationToken);

    public Task<PeerView> GrantAsync(GrantRequest request)
    {
        NamedDevice device = Other(request.Peer, "this device needs no grant for itself");
        if (!_device.Registry.Devices.TryGetValue(device.Id, out RegisteredDevice? known))
        {
            throw new MeshException(Mesh.MeshErrors.UnknownPeer, $"{device.Name} is not in the registry any more", "'agentmesh peers' shows who is");
        }

        _device.Registry.SetGrants(device.Id, known.Grants.Union(CheckGiven(request.Grant)).Except(Grant.Check(request.Revoke ?? [])), request.DropIntroduced);
        return Task.FromResult(ViewOf(device));
    }

    public Task<PeerView> RenameAsync(RenameRequest request)
    {
        NamedDevice device = Other(request.Peer, "the name of this device is the setting agentmesh.device-name");
        if (string.Equals(request.Name, _device.Settings.DeviceName, StringComparison.OrdinalIgnoreCase))
        {
            throw new MeshException(Mesh.MeshErrors.BadName, $"this device is called '{_device.Settings.DeviceName}' itself", "choose another name");
        }

        _device.Registry.Rename(device.Id, request.Name);
        return Task.FromResult(ViewOf(_device.Names.One(device.Id.ToString())));
    }

    public Task<ForgottenView> ForgetAsync(ForgetRequest request)
    {
        NamedDevice device = Other(request.Peer, "this device cannot forget itself");
        _device.Registry.Forget(device.Id);
        return Task.FromResult(new ForgottenView(device.Name, device.Id.ToString()));
    }

    public Task<IReadOnlyList<DeviceView>> DevicesAsync() => Task.FromResult(_services.Trust.List());

    public Task<DeviceView> DeviceAsync(string peer) => Task.FromResult(_services.Trust.Show(peer));

    public Task<RevokedView> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => _services.Trust.RevokeAsync(request, cancellationToken);

    public Task<IReadOnlyList<ConnectionView>> HistoryAsync(string? peer, int most) => Task.FromResult(_services.Trust.History(_reach.History, peer, most));

    public Task<RotatedView> RotateKeyAsync(RotateKeyRequest request) => _services.Rotation.RotateAsync(request.Alone);

    public void Restart() => _restart();

    public Task<CompromisedView> CompromisedAsync() => _services.Trust.GiveUpAsync(_device.Settings.DataDirectory);

    /// <exception cref="MeshException">AM0302, AM0303, or it is this device.</exception>
    private NamedDevice Other(string selector, string whyNotSelf) => _device.Names.One(selector) is { IsSelf: false } device
        ? device
        : throw new MeshException(NodeErrors.ControlRequest, whyNotSelf, "name another device");

    public async Task<PeerView> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken) => ViewOf(await _services.Connecting.ConnectAsync(request, cancellationToken).ConfigureAwait(false));

    public Task<SettingView> SetAsync(SetRequest request)
    {
        // A name may change, an id does not.
        const string devices = ConnectionsReader.AutoConnectDevices + ".";
        string key = request.Key ?? throw new MeshException(NodeErrors.ControlRequest, "'key' is missing", "see docs/control-api.md");
        key = key.StartsWith("agentmesh.", StringComparison.Ordinal) ? key["agentmesh.".Length..] : key;
        if (key.StartsWith(devices, StringComparison.Ordinal))
        {
            key = devices + Other(key[devices.Length..], "this device does not connect to itself").Id;
        }

        (string path, string value) = _services.Changed.Set(key, request.Value);
        return Task.FromResult(new SettingView($"agentmesh.{path}", value));
    }

    public IAsyncEnumerable<PingEvent> PingAsync(PingRequest request, CancellationToken cancellationToken) => _services.Pings.RunAsync(request, cancellationToken);

    public IAsyncEnumerable<byte[]> TraceAsync(int snapBytes, CancellationToken cancellationToken) => _device.Endpoint.TraceAsync(snapBytes, cancellationToken);

    public IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancellationToken) => _services.Commands.RunAsync(request, cancellationToken);

    public Task<JobPage> JobsAsync(JobFilter filter, int limit, string? before, CancellationToken cancellationToken) => _services.Jobs.ListAsync(filter, limit, before, cancellationToken);

    public Task<JobView> JobAsync(string id, CancellationToken cancellationToken) => _services.Jobs.ShowAsync(id, cancellationToken);

    public Task<JobView> CancelAsync(string id, CancellationToken cancellationToken) => _services.Jobs.CancelAsync(id, cancellationToken);

    public Task<IReadOnlyList<JobEventView>> JobHistoryAsync(string id, CancellationToken cancellationToken) => _services.Jobs.HistoryAsync(id, cancellationToken);

    public Task<JobView> RetryAsync(string id, bool fromStart, CancellationToken cancellationToken) => _services.Jobs.RetryAsync(id, fromStart, cancellationToken);

    public async Task<PrunedView> PruneAsync(string? home, double? beforeMs, bool isDry, CancellationToken cancellationToken)
    {
        HomeId of = _services.Homes.Of(home).Home;
        TimeSpan? before = beforeMs is { } ms ? TimeSpan.FromMilliseconds(Math.Clamp(ms, 0, TimeSpan.MaxValue.TotalMilliseconds / 2)) : null;
        int jobs = 0, arrays = 0, workflows = 0, elsewhere = 0;
        Pruned pruned;
        do
        {
            pruned = await _services.Retention.PruneAsync(of, before, isDry, cancellationToken).ConfigureAwait(false);
            jobs += pruned.Jobs;
            arrays += pruned.Arrays;
            workflows += pruned.Workflows;
            elsewhere = pruned.Elsewhere;
        }
        while (pruned.HasMore && !isDry);
        return new PrunedView(of.ToString(), jobs, arrays, workflows, isDry, elsewhere);
    }

    public IAsyncEnumerable<OutputView> OutputAsync(OutputQuery query, CancellationToken cancellationToken) => _services.Jobs.OutputAsync(query, cancellationToken);

    public IAsyncEnumerable<CommandEvent> PipeAsync(PipeRequest request, CancellationToken cancellationToken) => _services.Pipes.RunAsync(request, cancellationToken);

    public Task<IInputSession> OpenInputAsync(string job, CancellationToken cancellationToken) => _services.Inputs.OpenAsync(job, cancellationToken);

    public Task<IReadOnlyList<AuditView>> AuditAsync(int limit, string? peer, DateTimeOffset since, string? outcome, CancellationToken cancellationToken) =>
        _services.Audit.NewestAsync(limit, peer, since, outcome, cancellationToken);

    public Task<ArrayView> SubmitArrayAsync(ArrayRequest request, CancellationToken cancellationToken) => _services.Arrays.SubmitAsync(request, cancellationToken);

    public Task<ArrayView> ArrayAsync(string id, CancellationToken cancellationToken) => _services.Arrays.ShowAsync(id, cancellationToken);

    public Task<ArrayElementPage> ElementsAsync(string id, int from, int limit, bool failed, CancellationToken cancellationToken) => _services.Arrays.ElementsAsync(id, from, limit, failed, cancellationToken);

    public Task<ArrayView> CancelArrayAsync(string id, CancellationToken cancellationToken) => _services.Arrays.CancelAsync(id, cancellationToken);

    public Task<ArrayView> RetryArrayAsync(string id, CancellationToken cancellationToken) => _services.Arrays.RetryAsync(id, cancellationToken);

    public Task<IReadOnlyList<ArtifactView>> ArtifactsAsync(string? job, string? home, int limit, CancellationToken cancellationToken) => _services.Artifacts.ListAsync(job, home, limit, cancellationToken);

    public Task<(ArtifactView View, Stream Content)> OpenArtifactAsync(string name, string? home, CancellationToken cancellationToken) => _services.Artifacts.OpenAsync(name, home, cancellationToken);

    public Task<ArtifactView> PutArtifactAsync(string name, string? home, Stream content, CancellationToken cancellationToken) => _services.Artifacts.PutAsync(name, home, content, cancellationToken);

    public Task<ArtifactView> RemoveArtifactAsync(string name, string? home, CancellationToken cancellationToken) => _services.Artifacts.RemoveAsync(name, home, cancellationToken);

    public Task<WorkflowView> SubmitWorkflowAsync(WorkflowRequest request, CancellationToken cancellationToken) => _services.Workflows.SubmitAsync(request, cancellationToken);

    public Task<IReadOnlyList<WorkflowView>> WorkflowsAsync(string? home, string? state, int limit, CancellationToken cancellationToken) => _services.Workflows.ListAsync(home, state, limit, cancellationToken);

    public Task<WorkflowView> WorkflowAsync(string id, CancellationToken cancellationToken) => _services.Workflows.ShowAsync(id, cancellationToken);

    public Task<WorkflowView> ChangeWorkflowAsync(string id, Mesh.Workflows.WorkflowAction action, string? step, CancellationToken cancellationToken) => _services.Workflows.ChangeAsync(id, action, step, cancellationToken);

    public Task<WorkflowView> EditStepAsync(string id, string step, StepEditRequest request, CancellationToken cancellationToken) => _services.Workflows.EditAsync(id, step, request, cancellationToken);

    public Task<WorkflowView> ForkWorkflowAsync(string id, ForkRequest request, CancellationToken cancellationToken) => _services.Workflows.ForkAsync(id, request, cancellationToken);

    public Task<IReadOnlyList<GroupView>> GroupsAsync(CancellationToken cancellationToken) => _services.Groups.ListAsync(cancellationToken);

    public Task<GroupView> GroupAsync(string name, string? home, CancellationToken cancellationToken) => _services.Groups.ShowAsync(name, home, cancellationToken);

    public Task<GroupView> SetGroupAsync(GroupRequest request, CancellationToken cancellationToken) => _services.Groups.SetAsync(request, cancellationToken);

    public Task<GroupRemovedView> RemoveGroupAsync(string name, string? home, CancellationToken cancellationToken) => _services.Groups.RemoveAsync(name, home, cancellationToken);

    public Task<IReadOnlyList<CronView>> CronsAsync(CancellationToken cancellationToken) => _services.Crons.ListAsync(all: true, cancellationToken);

    public Task<CronView> AddCronAsync(CronRequest request, CancellationToken cancellationToken) => _services.Crons.AddAsync(request, isFromFile: false, cancellationToken);

    public Task<CronFileView> ReloadCronsAsync(CancellationToken cancellationToken) => _services.CronFile.ReloadAsync(cancellationToken);

    public Task<CronView> CronAsync(string name, CancellationToken cancellationToken) => _services.Crons.ShowAsync(name, cancellationToken);

    public Task<CronView> EnableCronAsync(string name, bool enabled, CancellationToken cancellationToken) => _services.Crons.EnableAsync(name, enabled, cancellationToken);

    public Task<JobView> RunCronAsync(string name, CancellationToken cancellationToken) => _services.Crons.RunAsync(name, cancellationToken);

    public Task<CronBackfillView> BackfillCronAsync(string name, BackfillRequest request, CancellationToken cancellationToken) => _services.Crons.BackfillAsync(name, request, cancellationToken);

    public Task<CronRemovedView> RemoveCronAsync(string name, CancellationToken cancellationToken) => _services.Crons.RemoveAsync(name, cancellationToken);

    public void Shutdown(bool endPrograms)
    {
        _workers.Table.EndsAll |= endPrograms;
        _stop();
    }

    private BeaconView ViewOf(BeaconClient beacon) => new(
        beacon.Place.Name,
        beacon.Observed?.ToString(),
        _device.Names.All.Count(device => _device.Endpoint.Relays.To(device.Id).Any(channel => channel.Name == beacon.Place.Name)),
        beacon.Limited,
        beacon is { IsRegistered: false, Problem: { } problem } ? new ProblemView(problem.Code, problem.Message, problem.NextStep) : null,
        beacon.IsRegistered ? beacon.IsByWebSocket ? "wss" : "udp" : null,
        beacon.Attempts,
        beacon.WebSockets);

    private PeerView ViewOf(NamedDevice device)
    {
        MemberState? member = _generations.Live?.Members.Where(each => each.Device == device.Id).Select(each => (MemberState?)each).FirstOrDefault();
        bool isMember = member is { Status: MemberStatus.Up or MemberStatus.WeaklyUp, IsReachable: true };
        if (device.IsSelf)
        {
            return new PeerView(
                device.Index, device.Name, device.Id.ToString(), true, "connected", _reach.Addresses.Current is [{ } own, ..] ? own.ToString() : null, "local", 0, 0, _device.Time.GetUtcNow(),
                DeviceNames.Platform, Environment.MachineName, Version, isMember, [.. _workers.Handlers.All.Select(handler => handler.Name)], [.. Grant.All], null, _device.Settings.Labels, Resources: ResourcesOf(_reach.Links.OwnLoad()));
        }

        PathView[]? paths = _device.Hub.Find(device.Id) is { } live ? PathViews.Of(live) : null;
        MeshPathInfo? path = _device.Hub.Find(device.Id)?.Path;
        RelayedReason? why = path is { Kind: MeshPathInfo.RelayByWebSocket } ? RelayedReason.UdpBlocked(path.Value.Via) : _reach.Links.WhyRelayed(device.Id);
        DeviceHello? hello = _device.Directory.Hello(device.Id);
        string state = _reach.Links.IsLinked(device.Id) ? "connected" : _reach.Links.IsConnecting(device.Id) ? "connecting" : _reach.Links.Problem(device.Id) is null || _reach.Links.ProblemCode(device.Id) == ReachErrors.NotDialled ? "disconnected" : "failed";
        return new PeerView(
            device.Index,
            device.Name,
            device.Id.ToString(),
            false,
            state,
            path?.Place ?? (_device.Directory.Addresses(device.Id) is [{ } first, ..] ? first.ToString() : null),
            path?.Description,
            path?.RoundTrip?.TotalMilliseconds,
            path?.LossRatio,
            state == "connected" ? _device.Time.GetUtcNow() : _device.Directory.LastSeen(device.Id),
            hello?.Platform,
            hello?.HostName,
            hello?.Version,
            isMember,
            hello?.Capabilities ?? [],
            [.. _device.Registry.Devices.TryGetValue(device.Id, out RegisteredDevice? known) ? known.Grants : []],
            state == "connected" ? null : _reach.Links.Problem(device.Id),
            hello?.Labels ?? [],
            why?.Code,
            why?.Text,
            state == "connected" ? ResourcesOf(_reach.Links.LoadOf(device.Id)) : null)
        {
            Paths = paths,
            ProblemCode = state == "connected" ? null : _reach.Links.ProblemCode(device.Id),
        };
    }

    private ConnectionsView ConnectionsOf(ConnectionsSettings now) => new(
        now.Incoming.ToString().ToLowerInvariant(),
        now.AutoConnect,
        [.. now.AutoConnectDevices.Where(each => each.Value != now.AutoConnect).Select(each => _device.Names.All.FirstOrDefault(device => device.Id.ToString() == each.Key)?.Name ?? each.Key)],
        now.BytesPerSecondUp,
        now.BytesPerSecondDown);

    /// <exception cref="MeshException">AM0332: one is no grant. AM0178: one reaches what the node itself needs.</exception>
    private IReadOnlyCollection<string> CheckGiven(IReadOnlyList<string>? grants)
    {
        IReadOnlyCollection<string> given = Grant.Check(grants ?? []);
        if (_device.Settings.ConfinesPrograms)
        {
            _workers.Fence.Check(Confinement.Of(given, []));
        }

        return given;
    }

    private static ResourceView[]? ResourcesOf(DeviceLoad load) => load.Capacity is { } capacity
        ? [.. capacity.Thousandths.Select(each => new ResourceView(each.Key, each.Value / 1000m, load.Free[each.Key] / 1000m))]
        : null;
}

/// <summary>What this machine is called where devices show it.</summary>
internal static class DeviceNames
{
    public static string Platform { get; } = System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier;
}
