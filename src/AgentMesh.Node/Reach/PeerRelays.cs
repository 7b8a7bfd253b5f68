using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Server;
using AgentMesh.Errors;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Reach;

/// <summary>
/// The devices of the mesh by which this one reaches others that it has no direct path to. Registers at a few of those it is directly connected with (<see cref="RelayChoice"/>), and
/// remembers which of them relayed. Thread-safe.
/// </summary>
internal sealed class PeerRelays : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    // A way that was needed within this time stays beside a direct path from the start.
    private static readonly TimeSpan NeededFor = TimeSpan.FromDays(30);

    private readonly MeshEndpoint _endpoint;
    private readonly ConnectionHub _hub;
    private readonly DeviceDirectory _directory;
    private readonly LinkService _links;
    private readonly Func<DeviceId, string> _nameOf;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _poked;
    private readonly ConcurrentDictionary<MeshConnection, Registered> _relays = new();
    private readonly RelayRefusals _refusals;
    private readonly ConcurrentDictionary<DeviceId, byte> _used = new();
    private volatile IReadOnlySet<DeviceId> _wanted = new HashSet<DeviceId>();
    private Task _running = Task.CompletedTask;

    public PeerRelays(MeshEndpoint endpoint, ConnectionHub hub, DeviceDirectory directory, LinkService links, Func<DeviceId, string> nameOf, TimeProvider time, ILogger log)
    {
        _endpoint = endpoint;
        _hub = hub;
        _directory = directory;
        _links = links;
        _nameOf = nameOf;
        _time = time;
        _poked = new Poker(time);
        _refusals = new RelayRefusals(time);
        _log = log;
        links.Changed += OnLinkChanged;
        links.PathChanged += OnPathChanged;
    }

    /// <summary>The devices that relay for this one now.</summary>
    public IReadOnlyList<DeviceId> Present => [.. _relays.Values.Where(relay => relay.IsWelcome).Select(relay => relay.Device)];

    public void Start()
    {
        DateTimeOffset since = _time.GetUtcNow() - NeededFor;
        foreach (DeviceId device in _directory.Known.Where(device => _directory.Relays(device) is [{ } latest, ..] && latest.At > since))
        {
            _used.TryAdd(device, 0);
        }

        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _links.Changed -= OnLinkChanged;
        _links.PathChanged -= OnPathChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_relays.Values.Select(relay => relay.Running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Choose();
            await _poked.WaitAsync(Tick, _stop.Token).ConfigureAwait(false);
        }
    }

    private void Choose()
    {
        var wanted = _directory.Admitted.Keys.Where(device => device != _hub.LocalId && (!IsDirect(device) || _used.ContainsKey(device))).ToHashSet();
        bool isOther = !wanted.SetEquals(_wanted);
        _wanted = wanted;
        foreach (Registered relay in _relays.Values)
        {
            if (isOther)
            {
                relay.Session?.Refresh();
            }
        }

        if (wanted.Count == 0)
        {
            return;
        }

        MeshConnection[] candidates = [.. _hub.Live.OfType<MeshConnection>().Where(MayRelay).DistinctBy(connection => connection.RemoteId)];
        IReadOnlyList<DeviceId> chosen = RelayChoice.Choose([.. _relays.Values.Select(relay => relay.Device)], candidates.Select(connection => connection.RemoteId), wanted, _directory.Relays);
        foreach (MeshConnection connection in candidates.Where(connection => chosen.Contains(connection.RemoteId)))
        {
            var relay = new Registered(connection.RemoteId);
            if (_relays.TryAdd(connection, relay))
            {
                relay.Running = Task.Run(() => RegisterAsync(connection, relay));
            }
        }
    }

    // What is on the same machine is no help for reaching another one.
    private bool MayRelay(MeshConnection connection) =>
        !_relays.ContainsKey(connection) && connection.Path is { Kind: MeshPathInfo.Direct } path && !IPAddress.IsLoopback(path.Remote.Address) && _links.IsLinked(connection.RemoteId)
        && _refusals.MayAsk(connection);

    private bool IsDirect(DeviceId device) => _hub.Find(device)?.Path is { IsRelayed: false };

    private async Task RegisterAsync(MeshConnection connection, Registered relay)
    {
        try
        {
            IMeshStream stream = await ConnectionHub.OpenAsync(connection, PeerRelay.Service, StreamPriority.Control, _stop.Token).ConfigureAwait(false);
            var options = new RelaySessionOptions(_nameOf(relay.Device), IsPeer: true, () => _wanted.Where(device => device != relay.Device), () => [], () =>
            {
                stream.Abort(0);
                return ValueTask.CompletedTask;
            }, new BeaconClientSettings().DoubtTimeout);
            var session = new RelaySession(_endpoint, connection, stream, options, _time);
            session.Welcomed += _ => relay.IsWelcome = true;
            relay.Session = session;
            await session.RunAsync(_stop.Token).ConfigureAwait(false);
            stream.Abort(0);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or MeshException)
        {
            // Gone: another one is looked for.
        }
        finally
        {
            if (!relay.IsWelcome)
            {
                _refusals.Add(connection);
            }

            _relays.TryRemove(connection, out _);
            _poked.Poke();
        }
    }

    private void OnLinkChanged(DeviceId device) => _poked.Poke();

    private void OnPathChanged(DeviceId device, MeshPathInfo path)
    {
        if (path.Kind == MeshPathInfo.RelayByPeer)
        {
            if (_endpoint.Relays.Find(path.Remote) is { IsByPeer: true } channel)
            {
                // It carries packets, so that it is one to begin with when this device starts again.
                _directory.RelayedBy(device, channel.Beacon.RemoteId);
            }

            // From now on the way stays, beside a direct path too: such a path is lost more easily than one that needed no help.
            if (_used.TryAdd(device, 0))
            {
                Log.RelayedByPeer(_log, device.ToString(), path.Via ?? "?");
            }
        }

        _poked.Poke();
    }

    private sealed class Registered(DeviceId device)
    {
        private volatile RelaySession? _session;
        private volatile bool _isWelcome;

        public DeviceId Device => device;

        public RelaySession? Session
        {
            get => _session;
            set => _session = value;
        }

        public bool IsWelcome
        {
            get => _isWelcome;
            set => _isWelcome = value;
        }

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
