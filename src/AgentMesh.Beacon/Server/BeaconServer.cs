using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Web;
using AgentMesh.Beacon.Wire;
using AgentMesh.Errors;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Beacon.Server;

/// <summary>A running beacon: an endpoint whose devices meet and whose relayed datagrams pass. Thread-safe.</summary>
public sealed class BeaconServer : IRelay, IAsyncDisposable
{
    // A device says hello at once; who does not holds a place that others could have.
    private static readonly TimeSpan HelloWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly MeshEndpoint _endpoint;
    private readonly BeaconAdmission _admission;
    private readonly GuestHall _hall;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<MeshConnection, byte> _connections = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly CancellationTokenSource _stop = new();
    private BeaconWeb? _web;

    private readonly BeaconObserver? _observer;

    private BeaconServer(MeshEndpoint endpoint, DeviceIdentity identity, BeaconAdmission admission, BeaconSettings settings, TimeProvider time)
    {
        _observer = BeaconObserver.TryOpen(endpoint.LocalAddresses);
        _endpoint = endpoint;
        _admission = admission;
        _time = time;
        PublicKey = identity.PublicKey;
        _hall = new GuestHall(settings.Limits, ChannelIds.Of(identity, SystemEntropy.Instance), (datagram, to) => endpoint.Send(datagram, to), time, _observer?.Port ?? 0);
    }

    /// <summary>The admission file has changed and cannot be used; the devices that were admitted stay so.</summary>
    public event Action<MeshException>? AdmissionProblem;

    public DevicePublicKey PublicKey { get; }

    /// <summary>Where devices learn how their NATs map; null where its port could not be had.</summary>
    public int? ObserverPort => _observer?.Port;

    public IReadOnlyList<IPEndPoint> Addresses => _endpoint.LocalAddresses;

    public MeshEndpointCounters Packets => _endpoint.Counters;

    public BeaconCounters Counters => _hall.Counters;

    /// <summary>Where it is reached over WebSockets; all empty when it is not.</summary>
    public BeaconWebCounters Web => _web?.Counters ?? new BeaconWebCounters(0, 0, 0, 0);

    public IReadOnlyList<IPEndPoint> TlsAddresses => _web?.TlsAddresses ?? [];

    public IReadOnlyList<IPEndPoint> PlainAddresses => _web?.PlainAddresses ?? [];

    /// <summary>What devices have in <c>agentmesh.beacons</c>.</summary>
    /// <param name="host">The name or address of this machine.</param>
    public string LineOf(string host)
    {
        // What devices assume when nothing stands there is port 443.
        string further = TlsAddresses is [{ Port: var port }, ..] ? port == BeaconWebSettings.DefaultTlsPort ? "" : $",wss://{host}:{port}/" : PlainAddresses.Count > 0 ? "" : ",udp";
        return $"{host}:{Addresses[0].Port}#{PublicKey}{further}";
    }

    /// <summary>Addresses for WebSockets that were left out, and why.</summary>
    public IReadOnlyList<string> LeftOut => _web?.LeftOut ?? [];

    /// <exception cref="MeshException">AM0102 to AM0104: the identity; AM0130, AM0154: an address; AM0158: the certificate; AM0172: the admission file.</exception>
    public static async Task<BeaconServer> StartAsync(BeaconSettings settings, TimeProvider time)
    {
        var admission = new BeaconAdmission(settings.AdmissionFile, settings.Admits);
        DeviceIdentity identity = IdentityFile.LoadOrCreate(settings.DataDirectory, SystemEntropy.Instance);
        var endpointSettings = new MeshEndpointSettings
        {
            Listen = settings.Listen,
            Connection = new ConnectionSettings
            {
                // Devices keep their connection alive; what they say fits into small windows, and there may be thousands of them.
                KeepAlive = TimeSpan.FromSeconds(15),
                PeerTimeout = TimeSpan.FromSeconds(10),
                IdleTimeout = TimeSpan.FromSeconds(15),
                StreamsPerClassMax = 2,
                StreamWindow = 64 * 1024,
                StreamWindowMax = 64 * 1024,
                ClassWindow = 64 * 1024,
                ClassWindowMax = 64 * 1024,
                SendBuffer = 64 * 1024,
                SendBufferMax = 64 * 1024,
            },
        };
        MeshEndpoint endpoint = MeshEndpoint.Open(identity, admission, StampFile.Open(settings.DataDirectory), endpointSettings, SystemEntropy.Instance, time);
        var server = new BeaconServer(endpoint, identity, admission, settings, time);
        endpoint.RelayWith(server);
        try
        {
            server._web = settings.Web.IsOff ? null : await BeaconWeb.StartAsync(endpoint, identity, settings.Web, settings.Limits.DevicesMax, time).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        server._web?.IsUsed = server._hall.IsInUse;
        server.Track(server.AcceptAsync());
        server.Track(server.TickAsync());
        if (server._observer is { } observer)
        {
            server.Track(observer.ServeAsync(server._hall.MayObserve));
        }

        return server;
    }

    public void Relay(Span<byte> envelope, IPEndPoint from)
    {
        int length = _hall.Relay(envelope, from, out IPEndPoint to);
        if (length > 0)
        {
            _endpoint.Send(envelope[..length], to);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_web is not null)
        {
            await _web.DisposeAsync().ConfigureAwait(false);
        }

        await _endpoint.DisposeAsync().ConfigureAwait(false);
        _observer?.Dispose();
        await Task.WhenAll(_running.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _hall.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (await _endpoint.AcceptAsync(_stop.Token).ConfigureAwait(false) is MeshConnection connection)
        {
            Track(ServeAsync(connection));
        }
    }

    private async Task TickAsync()
    {
        while (true)
        {
            await Task.Delay(Tick, _time, _stop.Token).ConfigureAwait(false);
            _hall.HandleTimeout();
            if (_admission.Refresh() is { } problem)
            {
                AdmissionProblem?.Invoke(problem);
            }

            foreach (MeshConnection connection in _connections.Keys.Where(connection => !_admission.IsAdmitted(connection.RemoteId)))
            {
                await connection.CloseAsync(BeaconCodes.NotAdmitted, "not admitted any more").ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(MeshConnection connection)
    {
        IPEndPoint remote = connection.Path.Remote;
        Guest? guest = _hall.TryEnter(connection.RemoteId, remote, _web?.SourceOf(remote));
        if (guest is null)
        {
            await connection.CloseAsync(BeaconCodes.Full, "this beacon is full").ConfigureAwait(false);
            return;
        }

        _connections[connection] = 0;
        connection.PathChanged += OnMoved;
        OnMoved(connection);
        try
        {
            using var late = new CancellationTokenSource(HelloWithin, _time);
            using var first = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, late.Token);
            if (await connection.AcceptStreamAsync(first.Token).ConfigureAwait(false) is { } stream && await BeaconStream.TryReadHeaderAsync(stream, first.Token).ConfigureAwait(false))
            {
                await _hall.TalkAsync(guest, stream, connection.Closed, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // Gone, or too slow.
        }
        finally
        {
            connection.PathChanged -= OnMoved;
            _connections.TryRemove(connection, out _);
            _hall.Leave(guest);
            await connection.CloseAsync(0, "done").ConfigureAwait(false);
        }

        void OnMoved(MeshConnection moved) => _hall.Moved(guest, moved.Path.Remote);
    }

    private void Track(Task task)
    {
        _running.TryAdd(task, 0);
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
