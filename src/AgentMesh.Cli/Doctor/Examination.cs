using System.Net;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Transport;

namespace AgentMesh.Cli.Doctor;

/// <summary>Collects the facts and lets the checks judge. Changes nothing and starts nothing.</summary>
internal sealed class Examination(Session session, TimeProvider time)
{
    /// <summary>Devices that are asked for a round trip; the others show the estimate of their connection.</summary>
    private const int PingedMax = 32;
    private static readonly TimeSpan NodeAnswersWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PingWithin = TimeSpan.FromSeconds(2);

    private readonly List<DoctorCheck> _checks = [];

    public async Task<DoctorReport> RunAsync(CancellationToken cancellationToken)
    {
        _checks.Add(DoctorCheck.Of("libsodium", () => SodiumLibrary.Version));
        _checks.Add(DoctorCheck.Of("sqlite", () => SqliteEventStore.LibraryVersion));
        NodeSettings? settings = null;
        _checks.Add(DoctorCheck.Of("settings", () =>
        {
            settings = session.Settings();
            SettingsLoader.Merge(session.Source(), out _, out string origin);
            return File.Exists(origin) ? origin : "no file: the defaults, environment and options";
        }));

        // With a broken file the node is still looked for where it would be without.
        string data = settings?.DataDirectory ?? SettingsLoader.DataDirectoryOf(session.Source());
        string socket = settings?.ControlSocket ?? ControlSocketPath.For(data);
        Directory(data);
        _checks.Add(DirectoryChecks.Socket(socket, Machine.Mode(socket)));
        await NodeAsync(data, socket, settings, cancellationToken).ConfigureAwait(false);
        return DoctorReport.Of(ProductVersion.Text, _checks);
    }

    private void Directory(string data)
    {
        DirectoryFacts facts = Machine.Directory(data);
        _checks.Add(DirectoryChecks.Access(facts));
        if (Machine.FreeBytes(data) is { } free)
        {
            _checks.Add(DirectoryChecks.FreeSpace(free, data));
        }

        if (!facts.Exists)
        {
            return;
        }

        if (TrustChecks.Invitations(data) is { } putAside)
        {
            _checks.Add(putAside);
        }

        try
        {
            _checks.Add(DirectoryChecks.FlushTime(Machine.FlushTimes(data, time)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _checks.Add(DirectoryChecks.NotWritable(error.Message));
        }
    }

    private async Task NodeAsync(string data, string socket, NodeSettings? settings, CancellationToken cancellationToken)
    {
        using var client = new ControlClient(socket);
        using var overtime = new CancellationTokenSource(session.Timeout ?? NodeAnswersWithin, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overtime.Token);
        try
        {
            StatusView status = await client.GetAsync("v1/status", ControlJson.Default.StatusView, patience.Token).ConfigureAwait(false);
            _checks.Add(NodeChecks.Running(status, ProductVersion.Text));
            if (settings is not null && NodeChecks.SettingsFile(status.SettingsFile, settings.ConfigFile) is { } otherFile)
            {
                _checks.Add(otherFile);
            }

            DiagnosticsView? diagnostics = await DiagnosticsAsync(client, patience.Token).ConfigureAwait(false);
            IReadOnlyList<PeerView> peers = await client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, patience.Token).ConfigureAwait(false);
            Judge(status, diagnostics);
            if (TrustChecks.OwnKey(status) is { } ownKey)
            {
                _checks.Add(ownKey);
            }

            IReadOnlyList<DeviceView> devices = await client.GetAsync("v1/devices", ControlJson.Default.IReadOnlyListDeviceView, patience.Token).ConfigureAwait(false);
            _checks.AddRange(TrustChecks.Forks(devices));
            _checks.AddRange(TrustChecks.Introductions(devices));
            await PeersAsync(client, peers, Introducers(devices), patience.Token).ConfigureAwait(false);
        }
        catch (MeshException problem)
        {
            int? holder = problem.Code == CliErrors.NoNode ? DirectoryHolder.ProcessOf(data) : null;
            _checks.Add(NodeChecks.NotAnswering(problem, holder));
            if (problem.Code == CliErrors.NoNode && holder is null)
            {
                WithoutNode(settings);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var late = new MeshException(CliErrors.TimedOut, "the node did not answer in time", "wait a moment and try again; then look at the end of node.log in the data directory");
            _checks.Add(NodeChecks.NotAnswering(late, DirectoryHolder.ProcessOf(data)));
        }
    }

    /// <returns>Null where the node is of an older version.</returns>
    private static async Task<DiagnosticsView?> DiagnosticsAsync(ControlClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetAsync("v1/diagnostics", ControlJson.Default.DiagnosticsView, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException unknown) when (unknown.Code != CliErrors.ConnectionLost)
        {
            return null;
        }
    }

    private void Judge(StatusView status, DiagnosticsView? diagnostics)
    {
        Buffer();
        _checks.Add(NetworkChecks.Announced(status.Addresses));
        _checks.Add(NodeChecks.Durability(status.Durability));
        if (status.Connections is { } connections)
        {
            _checks.Add(NetworkChecks.Connections(connections));
        }

        _checks.AddRange((status.Beacons ?? []).Select(NetworkChecks.Beacon));
        if (status.Nat is { } nat)
        {
            _checks.Add(NetworkChecks.Nat(nat));
        }

        if (status.Gateway is { } gateway)
        {
            _checks.Add(NetworkChecks.Gateway(gateway));
        }

        if (status.Stun is { Count: > 0 } stun)
        {
            _checks.Add(NetworkChecks.Stun(stun));
        }

        if (status.Discovery is { } discovery)
        {
            _checks.AddRange(NetworkChecks.Discovery(discovery));
        }

        _checks.AddRange((status.Turn ?? []).Select(NetworkChecks.Turn));
        if (status.Pool is { } pool)
        {
            _checks.Add(NodeChecks.Pool(pool));
        }

        if (diagnostics is null)
        {
            return;
        }

        int[] ports = [.. diagnostics.Listening.Select(address => IPEndPoint.TryParse(address, out IPEndPoint? parsed) ? parsed.Port : 0).Distinct()];
        _checks.Add(NetworkChecks.Bound(diagnostics.Listening));
        _checks.Add(NodeChecks.Packets(diagnostics.Packets, Machine.UdpDrops(ports), diagnostics.Listening));
        _checks.Add(NodeChecks.Streams(diagnostics.Streams));
        if (diagnostics.Memory is { } memory)
        {
            _checks.AddRange(MemoryChecks.Of(memory, time.GetUtcNow()));
        }

        if (diagnostics.Confinement is { } confinement)
        {
            _checks.Add(NodeChecks.Confinement(confinement));
        }

        if (diagnostics.Cgroups is { } cgroups)
        {
            _checks.Add(NodeChecks.Cgroups(cgroups));
        }

        _checks.Add(NodeChecks.Load(diagnostics.AttemptsRunning, diagnostics.AttemptsRunningMax, Machine.Zombies(status.ProcessId)));
    }

    private void WithoutNode(NodeSettings? settings)
    {
        foreach (IPEndPoint wanted in settings?.Listen ?? [])
        {
            _checks.Add(NetworkChecks.Free(wanted, Machine.BindProblem(wanted)));
        }

        Buffer();
    }

    private void Buffer()
    {
        if (Machine.ReceiveBufferMax() is { } most)
        {
            _checks.Add(NetworkChecks.ReceiveBuffer(most, new MeshEndpointSettings().SocketBufferBytes));
        }
    }

    private async Task PeersAsync(ControlClient client, IReadOnlyList<PeerView> all, IReadOnlyDictionary<string, string> introducers, CancellationToken cancellationToken)
    {
        PeerView[] others = [.. all.Where(peer => !peer.IsLocal)];
        PeerView[] asked = [.. others.Where(peer => peer.State == "connected").Take(PingedMax)];
        PingProbeView?[] answers = await Task.WhenAll(asked.Select(peer => PingAsync(client, peer, cancellationToken))).ConfigureAwait(false);
        Dictionary<string, PingProbeView?> pings = asked.Zip(answers).ToDictionary(each => each.First.Id, each => each.Second, StringComparer.Ordinal);
        (string, TimeSpan, TimeSpan)[] clocks = [.. asked.Zip(answers).Where(each => each.Second?.ClockOffsetMs is not null)
            .Select(each => (each.First.Name, Span(each.Second!.ClockOffsetMs!.Value), Span(each.Second.RoundTripMs!.Value)))];
        if (clocks.Length > 0)
        {
            _checks.Add(NetworkChecks.Clock(clocks));
        }

        _checks.AddRange(others.Length == 0 ? [PeerChecks.Nobody()] : others.Select(peer => PeerChecks.Peer(peer, pings.GetValueOrDefault(peer.Id), time.GetUtcNow(), introducers.GetValueOrDefault(peer.Id))));
    }

    /// <summary>By id, those who are in by the word of another device, and its name.</summary>
    private static Dictionary<string, string> Introducers(IReadOnlyList<DeviceView> devices)
    {
        string? self = devices.FirstOrDefault(device => device.IsLocal)?.Id;
        return devices.Where(device => device is { State: not "introduced", AdmittedBy: not null } && device.AdmittedById != self).DistinctBy(device => device.Id).ToDictionary(device => device.Id, device => device.AdmittedBy!);
    }

    /// <returns>Null when the device knows no ping, or has gone.</returns>
    private static async Task<PingProbeView?> PingAsync(ControlClient client, PeerView peer, CancellationToken cancellationToken)
    {
        try
        {
            var request = new PingRequest(peer.Id, Count: 1, TimeoutMs: PingWithin.TotalMilliseconds);
            await foreach (PingEvent happened in client.PingAsync(request, cancellationToken).ConfigureAwait(false))
            {
                return happened.Probe;
            }
        }
        catch (MeshException)
        {
            // Its state says why.
        }

        return null;
    }

    // A clock may say anything: bounded, so that it stays a span.
    private static TimeSpan Span(double milliseconds) => TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, -1e14, 1e14));
}
