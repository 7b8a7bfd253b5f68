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
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using Akka.Cluster;

namespace AgentMesh.Node.Services;

/// <summary>What the control API offers, from the parts of the node.</summary>
internal sealed class NodeServices : IControlServices
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(10);

    private readonly NodeParts _parts;
    private readonly string _configuration;
    private readonly DateTimeOffset _startedAt;
    private readonly Action _stop;
    private readonly Action _restart;

    public NodeServices(NodeParts parts, string configuration, Action stop, Action restart)
    {
        _parts = parts;
        _configuration = configuration;
        _startedAt = parts.Time.GetUtcNow();
        _stop = stop;
        _restart = restart;
    }

    public static string Version { get; } = typeof(NodeServices).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public async Task<StatusView> StatusAsync(CancellationToken cancellationToken)
    {
        Generation? generation = _parts.Generations.Live;
        IReadOnlyList<NamedDevice> all = _parts.Devices.All;
        MemberView[] members = [.. (generation?.Members ?? []).Select(member => new MemberView(
            member.Device.ToString(), all.FirstOrDefault(device => device.Id == member.Device)?.Name, member.Status.ToString().ToLowerInvariant(), member.IsReachable))];
        return new StatusView(
            _parts.Settings.DeviceName,
            _parts.Identity.Id.ToString(),
            Version,
            "embedded actor engine",
            Environment.ProcessId,
            _startedAt,
            _parts.Settings.DataDirectory,
            [.. _parts.Announced().Select(address => address.ToString())],
            SqliteEventStore.Durability,
            _parts.Generations.Number,
            members,
            all.Count - 1,
            _parts.Links.Linked.Count,
            _parts.Table.Running,
            Environment.WorkingSet,
            [.. _parts.Beacons.Clients.Select(ViewOf)],
            Pool: _parts.Pool is { } pool ? await PoolViews.OfAsync(pool, generation, cancellationToken).ConfigureAwait(false) : null)
        {
            Paths = PathViews.Sum(_parts.Links.Linked.Select(_parts.Hub.Find).OfType<IMeshConnection>()),
            Gateway = _parts.Gateway?.View(),
            Nat = _parts.Nat.View(address => _parts.Addresses.Current.Any(own => own.Address.Equals(address))),
            Stun = _parts.Stun?.View(),
            BeaconRole = _parts.BeaconRole?.View(),
            Discovery = _parts.Discoveries.View(),
            Turn = _parts.Turn.View(),
        };
    }

    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<PeerView>>([.. _parts.Devices.All.Select(ViewOf)]);

    public Task<DiagnosticsView> DiagnosticsAsync()
    {
        MeshEndpointCounters packets = _parts.Endpoint.Counters;
        ConnectionHubCounters streams = _parts.Hub.Counters;
        return Task.FromResult(new DiagnosticsView(
            [.. _parts.Endpoint.LocalAddresses.Select(address => address.ToString())],
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
            _parts.Table.Running,
            _parts.Settings.Jobs.RunningMax)
        {
            Cgroups = new CgroupsView(_parts.Workers.Cgroups?.Directory, _parts.Workers.Cgroups?.Controllers ?? [], _parts.Settings.Programs.CgroupLimits, _parts.Workers.WhyNoCgroups),
        });
    }

    public Task<ConfigView> ConfigAsync() => Task.FromResult(new ConfigView(_configuration));

    public Task<IReadOnlyList<PairingView>> PairingsAsync() => Task.FromResult(_parts.Pairing.Done);

    public Task<IReadOnlyList<InvitationStateView>> InvitationsAsync() => Task.FromResult(_parts.Pairing.Invitations);

    public Task<InvitationView> InviteAsync(InviteRequest request) => _parts.Pairing.InviteAsync(request, _parts.Announced());

    public Task<PairingView> JoinAsync(JoinRequest request, CancellationToken cancellationToken) => _parts.Pairing.JoinAsync(request, _parts.Endpoint, _parts.Links, cancellationToken);

    public Task<PeerView> GrantAsync(GrantRequest request)
    {
        NamedDevice device = Other(request.Peer, "this device needs no grant for itself");
        if (!_parts.Registry.Devices.TryGetValue(device.Id, out RegisteredDevice? known))
        {
            throw new MeshException(Mesh.MeshErrors.UnknownPeer, $"{device.Name} is not in the registry any more", "'agentmesh peers' shows who is");
        }

        _parts.Registry.SetGrants(device.Id, known.Grants.Union(Grant.Check(request.Grant ?? [])).Except(Grant.Check(request.Revoke ?? [])), request.DropIntroduced);
        return Task.FromResult(ViewOf(device));
    }

    public Task<PeerView> RenameAsync(RenameRequest request)
    {
        NamedDevice device = Other(request.Peer, "the name of this device is the setting agentmesh.device-name");
        if (string.Equals(request.Name, _parts.Settings.DeviceName, StringComparison.OrdinalIgnoreCase))
        {
            throw new MeshException(Mesh.MeshErrors.BadName, $"this device is called '{_parts.Settings.DeviceName}' itself", "choose another name");
        }

        _parts.Registry.Rename(device.Id, request.Name);
        return Task.FromResult(ViewOf(_parts.Devices.One(device.Id.ToString())));
    }

    public Task<ForgottenView> ForgetAsync(ForgetRequest request)
    {
        NamedDevice device = Other(request.Peer, "this device cannot forget itself");
        _parts.Registry.Forget(device.Id);
        return Task.FromResult(new ForgottenView(device.Name, device.Id.ToString()));
    }

    public Task<IReadOnlyList<DeviceView>> DevicesAsync() => Task.FromResult(_parts.Trust.List());

    public Task<DeviceView> DeviceAsync(string peer) => Task.FromResult(_parts.Trust.Show(peer));

    public Task<RevokedView> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken) => _parts.Trust.RevokeAsync(request, cancellationToken);

    public Task<IReadOnlyList<ConnectionView>> HistoryAsync(string? peer, int most) => Task.FromResult(_parts.Trust.History(_parts.History, peer, most));

    public Task<RotatedView> RotateKeyAsync(RotateKeyRequest request) => _parts.Rotation.RotateAsync(request.Alone);

    public void Restart() => _restart();

    public Task<CompromisedView> CompromisedAsync() => _parts.Trust.GiveUpAsync(_parts.Settings.DataDirectory);

    /// <exception cref="MeshException">AM0302, AM0303, or it is this device.</exception>
    private NamedDevice Other(string selector, string whyNotSelf) => _parts.Devices.One(selector) is { IsSelf: false } device
        ? device
        : throw new MeshException(NodeErrors.ControlRequest, whyNotSelf, "name another device");

    public async Task<PeerView> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyList<System.Net.IPEndPoint> addresses = LocalAddresses.Resolve(new HostPort(request.Host, request.Port));
        if (addresses.Count == 0)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"'{request.Host}' is no host or address", "write an IP address or a name that resolves");
        }

        foreach (NamedDevice device in _parts.Devices.All.Where(device => !device.IsSelf))
        {
            _parts.Directory.Told(device.Id, addresses);
            _parts.Links.Hurry(device.Id);
        }

        long start = _parts.Time.GetTimestamp();
        while (_parts.Time.GetElapsedTime(start) < ConnectWithin)
        {
            if (_parts.Hub.Live.FirstOrDefault(connection => addresses.Contains(connection.Path.Remote)) is { } found && _parts.Devices.All.FirstOrDefault(device => device.Id == found.RemoteId) is { } there)
            {
                return ViewOf(there);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), _parts.Time, cancellationToken).ConfigureAwait(false);
        }

        throw new MeshException(
            Protocol.ProtocolErrors.NoAnswer, $"no device of this mesh answers at {request.Host}:{request.Port}", "devices answer only those they know: pair first with 'agentmesh invite' there and 'agentmesh join CODE' here");
    }

    public IAsyncEnumerable<PingEvent> PingAsync(PingRequest request, CancellationToken cancellationToken) => _parts.Pings.RunAsync(request, cancellationToken);

    public IAsyncEnumerable<byte[]> TraceAsync(int snapBytes, CancellationToken cancellationToken) => _parts.Endpoint.TraceAsync(snapBytes, cancellationToken);

    public IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancellationToken) => _parts.Commands.RunAsync(request, cancellationToken);

    public Task<JobPage> JobsAsync(JobFilter filter, int limit, string? before, CancellationToken cancellationToken) => _parts.Jobs.ListAsync(filter, limit, before, cancellationToken);

    public Task<JobView> JobAsync(string id, CancellationToken cancellationToken) => _parts.Jobs.ShowAsync(id, cancellationToken);

    public Task<JobView> CancelAsync(string id, CancellationToken cancellationToken) => _parts.Jobs.CancelAsync(id, cancellationToken);

    public Task<IReadOnlyList<JobEventView>> JobHistoryAsync(string id, CancellationToken cancellationToken) => _parts.Jobs.HistoryAsync(id, cancellationToken);

    public Task<JobView> RetryAsync(string id, bool fromStart, CancellationToken cancellationToken) => _parts.Jobs.RetryAsync(id, fromStart, cancellationToken);

    public async Task<PrunedView> PruneAsync(string? home, double? beforeMs, bool isDry, CancellationToken cancellationToken)
    {
        HomeId of = _parts.Homes.Of(home).Home;
        TimeSpan? before = beforeMs is { } ms ? TimeSpan.FromMilliseconds(Math.Clamp(ms, 0, TimeSpan.MaxValue.TotalMilliseconds / 2)) : null;
        int jobs = 0, arrays = 0, workflows = 0, elsewhere = 0;
        Pruned pruned;
        do
        {
            pruned = await _parts.Retention.PruneAsync(of, before, isDry, cancellationToken).ConfigureAwait(false);
            jobs += pruned.Jobs;
            arrays += pruned.Arrays;
            workflows += pruned.Workflows;
            elsewhere = pruned.Elsewhere;
        }
        while (pruned.HasMore && !isDry);
        return new PrunedView(of.ToString(), jobs, arrays, workflows, isDry, elsewhere);
    }

    public IAsyncEnumerable<OutputView> OutputAsync(OutputQuery query, CancellationToken cancellationToken) => _parts.Jobs.OutputAsync(query, cancellationToken);

    public IAsyncEnumerable<CommandEvent> PipeAsync(PipeRequest request, CancellationToken cancellationToken) => _parts.Pipes.RunAsync(request, cancellationToken);

    public Task<IInputSession> OpenInputAsync(string job, CancellationToken cancellationToken) => _parts.Inputs.OpenAsync(job, cancellationToken);

    public Task<IReadOnlyList<AuditView>> AuditAsync(int limit, string? peer, DateTimeOffset since, string? outcome, CancellationToken cancellationToken) =>
        _parts.Audit.NewestAsync(limit, peer, since, outcome, cancellationToken);

    public Task<ArrayView> SubmitArrayAsync(ArrayRequest request, CancellationToken cancellationToken) => _parts.Arrays.SubmitAsync(request, cancellationToken);

    public Task<ArrayView> ArrayAsync(string id, CancellationToken cancellationToken) => _parts.Arrays.ShowAsync(id, cancellationToken);

    public Task<ArrayElementPage> ElementsAsync(string id, int from, int limit, bool failed, CancellationToken cancellationToken) => _parts.Arrays.ElementsAsync(id, from, limit, failed, cancellationToken);

    public Task<ArrayView> CancelArrayAsync(string id, CancellationToken cancellationToken) => _parts.Arrays.CancelAsync(id, cancellationToken);

    public Task<ArrayView> RetryArrayAsync(string id, CancellationToken cancellationToken) => _parts.Arrays.RetryAsync(id, cancellationToken);

    public Task<IReadOnlyList<ArtifactView>> ArtifactsAsync(string? job, string? home, int limit, CancellationToken cancellationToken) => _parts.Artifacts.ListAsync(job, home, limit, cancellationToken);

    public Task<(ArtifactView View, Stream Content)> OpenArtifactAsync(string name, string? home, CancellationToken cancellationToken) => _parts.Artifacts.OpenAsync(name, home, cancellationToken);

    public Task<ArtifactView> PutArtifactAsync(string name, string? home, Stream content, CancellationToken cancellationToken) => _parts.Artifacts.PutAsync(name, home, content, cancellationToken);

    public Task<ArtifactView> RemoveArtifactAsync(string name, string? home, CancellationToken cancellationToken) => _parts.Artifacts.RemoveAsync(name, home, cancellationToken);

    public Task<WorkflowView> SubmitWorkflowAsync(WorkflowRequest request, CancellationToken cancellationToken) => _parts.Workflows.SubmitAsync(request, cancellationToken);

    public Task<IReadOnlyList<WorkflowView>> WorkflowsAsync(string? home, string? state, int limit, CancellationToken cancellationToken) => _parts.Workflows.ListAsync(home, state, limit, cancellationToken);

    public Task<WorkflowView> WorkflowAsync(string id, CancellationToken cancellationToken) => _parts.Workflows.ShowAsync(id, cancellationToken);

    public Task<WorkflowView> ChangeWorkflowAsync(string id, Mesh.Workflows.WorkflowAction action, string? step, CancellationToken cancellationToken) => _parts.Workflows.ChangeAsync(id, action, step, cancellationToken);

    public Task<WorkflowView> EditStepAsync(string id, string step, StepEditRequest request, CancellationToken cancellationToken) => _parts.Workflows.EditAsync(id, step, request, cancellationToken);

    public Task<WorkflowView> ForkWorkflowAsync(string id, ForkRequest request, CancellationToken cancellationToken) => _parts.Workflows.ForkAsync(id, request, cancellationToken);

    public Task<IReadOnlyList<GroupView>> GroupsAsync(CancellationToken cancellationToken) => _parts.Groups.ListAsync(cancellationToken);

    public Task<GroupView> GroupAsync(string name, string? home, CancellationToken cancellationToken) => _parts.Groups.ShowAsync(name, home, cancellationToken);

    public Task<GroupView> SetGroupAsync(GroupRequest request, CancellationToken cancellationToken) => _parts.Groups.SetAsync(request, cancellationToken);

    public Task<GroupRemovedView> RemoveGroupAsync(string name, string? home, CancellationToken cancellationToken) => _parts.Groups.RemoveAsync(name, home, cancellationToken);

    public Task<IReadOnlyList<CronView>> CronsAsync(CancellationToken cancellationToken) => _parts.Crons.ListAsync(all: true, cancellationToken);

    public Task<CronView> AddCronAsync(CronRequest request, CancellationToken cancellationToken) => _parts.Crons.AddAsync(request, isFromFile: false, cancellationToken);

    public Task<CronFileView> ReloadCronsAsync(CancellationToken cancellationToken) => _parts.CronFile.ReloadAsync(cancellationToken);

    public Task<CronView> CronAsync(string name, CancellationToken cancellationToken) => _parts.Crons.ShowAsync(name, cancellationToken);

    public Task<CronView> EnableCronAsync(string name, bool enabled, CancellationToken cancellationToken) => _parts.Crons.EnableAsync(name, enabled, cancellationToken);

    public Task<JobView> RunCronAsync(string name, CancellationToken cancellationToken) => _parts.Crons.RunAsync(name, cancellationToken);

    public Task<CronBackfillView> BackfillCronAsync(string name, BackfillRequest request, CancellationToken cancellationToken) => _parts.Crons.BackfillAsync(name, request, cancellationToken);

    public Task<CronRemovedView> RemoveCronAsync(string name, CancellationToken cancellationToken) => _parts.Crons.RemoveAsync(name, cancellationToken);

    public void Shutdown(bool endPrograms)
    {
        _parts.Table.EndsAll |= endPrograms;
        _stop();
    }

    private BeaconView ViewOf(BeaconClient beacon) => new(
        beacon.Place.Name,
        beacon.Observed?.ToString(),
        _parts.Devices.All.Count(device => _parts.Endpoint.Relays.To(device.Id).Any(channel => channel.Name == beacon.Place.Name)),
        beacon.Limited,
        beacon is { IsRegistered: false, Problem: { } problem } ? new ProblemView(problem.Code, problem.Message, problem.NextStep) : null,
        beacon.IsRegistered ? beacon.IsByWebSocket ? "wss" : "udp" : null,
        beacon.Attempts,
        beacon.WebSockets);

    private PeerView ViewOf(NamedDevice device)
    {
        MemberState? member = _parts.Generations.Live?.Members.Where(each => each.Device == device.Id).Select(each => (MemberState?)each).FirstOrDefault();
        bool isMember = member is { Status: MemberStatus.Up or MemberStatus.WeaklyUp, IsReachable: true };
        if (device.IsSelf)
        {
            return new PeerView(
                device.Index, device.Name, device.Id.ToString(), true, "connected", _parts.Addresses.Current is [{ } own, ..] ? own.ToString() : null, "local", 0, 0, _parts.Time.GetUtcNow(),
                DeviceNames.Platform, Environment.MachineName, Version, isMember, [.. _parts.Handlers.All.Select(handler => handler.Name)], [.. Grant.All], null, _parts.Settings.Labels, Resources: ResourcesOf(_parts.Links.OwnLoad()));
        }

        PathView[]? paths = _parts.Hub.Find(device.Id) is { } live ? PathViews.Of(live) : null;
        MeshPathInfo? path = _parts.Hub.Find(device.Id)?.Path;
        RelayedReason? why = path is { Kind: MeshPathInfo.RelayByWebSocket } ? RelayedReason.UdpBlocked(path.Value.Via) : _parts.Links.WhyRelayed(device.Id);
        DeviceHello? hello = _parts.Directory.Hello(device.Id);
        string state = _parts.Links.IsLinked(device.Id) ? "connected" : _parts.Links.IsConnecting(device.Id) ? "connecting" : _parts.Links.Problem(device.Id) is null ? "disconnected" : "failed";
        return new PeerView(
            device.Index,
            device.Name,
            device.Id.ToString(),
            false,
            state,
            path?.Place ?? (_parts.Directory.Addresses(device.Id) is [{ } first, ..] ? first.ToString() : null),
            path?.Description,
            path?.RoundTrip?.TotalMilliseconds,
            path?.LossRatio,
            state == "connected" ? _parts.Time.GetUtcNow() : _parts.Directory.LastSeen(device.Id),
            hello?.Platform,
            hello?.HostName,
            hello?.Version,
            isMember,
            hello?.Capabilities ?? [],
            [.. _parts.Registry.Devices.TryGetValue(device.Id, out RegisteredDevice? known) ? known.Grants : []],
            state == "connected" ? null : _parts.Links.Problem(device.Id),
            hello?.Labels ?? [],
            why?.Code,
            why?.Text,
            state == "connected" ? ResourcesOf(_parts.Links.LoadOf(device.Id)) : null)
        {
            Paths = paths,
            ProblemCode = state == "connected" ? null : _parts.Links.ProblemCode(device.Id),
        };
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
