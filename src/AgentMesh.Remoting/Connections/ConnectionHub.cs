using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport;

namespace AgentMesh.Remoting;

/// <summary>Serves one accepted stream until it is done. The hub disposes the stream afterwards; an exception aborts it.</summary>
/// <param name="stopping">Cancelled when the connection or the hub closes.</param>
public delegate Task ServiceHandler(IMeshConnection connection, IMeshStream stream, CancellationToken stopping);

/// <summary>
/// Owns the live connections of this device: dials once for any number of waiters, remembers failures, and hands each accepted
/// stream to the handler of the service that its header names. Thread-safe. Does not own the endpoint.
/// </summary>
public sealed class ConnectionHub : IAsyncDisposable
{
    private readonly IMeshEndpoint _endpoint;
    private readonly IPeerDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly ConnectionHubSettings _settings;
    private readonly Lock _lock = new();
    private readonly Dictionary<DeviceId, IMeshConnection> _live = [];
    private readonly Dictionary<DeviceId, Task<IMeshConnection>> _dials = [];
    private readonly DialFailures _failures;
    private readonly StreamDispatcher _dispatcher;
    private readonly ConcurrentDictionary<Task, byte> _loops = new();
    private readonly CancellationTokenSource _stopping = new();
    private bool _started;
    private bool _closed;

    public ConnectionHub(IMeshEndpoint endpoint, IPeerDirectory directory, TimeProvider clock, ConnectionHubSettings? settings = null)
    {
        _endpoint = endpoint;
        _directory = directory;
        _clock = clock;
        _settings = settings ?? new ConnectionHubSettings();
        _failures = new DialFailures(_settings, clock);
        _dispatcher = new StreamDispatcher(_settings, clock);
    }

    /// <summary>Raised once for each connection, before any of its streams is handed out. Handlers must be quick and must not throw.</summary>
    public event Action<IMeshConnection>? Connected;

    /// <summary>Raised once for each connection that was announced by <see cref="Connected"/>.</summary>
    public event Action<IMeshConnection, ConnectionEnd>? Disconnected;

    public DeviceId LocalId => _endpoint.LocalId;

    /// <summary>Why a device is not dialled, though it could be; null where it is. Set before <see cref="Start"/>; quick, under the lock of the hub.</summary>
    public Func<DeviceId, MeshException?> WhyNotDialled { get; set; } = static _ => null;

    /// <summary>
    /// Takes a connection that came in for itself: it is never live here, none of its streams is served, and whoever took it closes it. Set before <see cref="Start"/>; quick, and must not throw.
    /// </summary>
    public Func<IMeshConnection, bool> TakesAside { get; set; } = static _ => false;

    /// <summary>A copy of the connections that are alive now.</summary>
    public IReadOnlyList<IMeshConnection> Live
    {
        get
        {
            lock (_lock)
                return [.. _live.Values];
        }
    }

    public ConnectionHubCounters Counters => _dispatcher.Counters;

    /// <summary>Handlers are registered before <see cref="Start"/>, or later and then serve streams that come after.</summary>
    /// <param name="service">1 to 32 characters of a-z, 0-9 and '-'.</param>
    /// <returns>Dispose it to stop serving; streams in progress go on.</returns>
    /// <exception cref="ArgumentException">A bad name, or one that has a handler already.</exception>
    public IDisposable Register(string service, ServiceHandler handler) => _dispatcher.Register(service, handler);

    /// <summary>As <see cref="Register"/>, and from an earlier handler of the service, if there is one, which then gets no further streams.</summary>
    public IDisposable Replace(string service, ServiceHandler handler) => _dispatcher.Replace(service, handler);

    /// <summary>Starts to accept connections. Dialling works without.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_started || _closed)
                return;
            _started = true;
        }

        Track(AcceptConnectionsAsync());
    }

    public bool IsLive(DeviceId id) => Find(id) is not null;

    /// <summary>The live connection to a device; null where there is none. Never dials.</summary>
    public IMeshConnection? Find(DeviceId id)
    {
        lock (_lock)
            return _live.GetValueOrDefault(id);
    }

    /// <summary>The live connection to a device, or a new one. Requests at the same time share one dial; the token ends only the wait of this caller.</summary>
    /// <exception cref="MeshException">Unknown device, not reachable (at once while the backoff of an earlier failure runs), or the hub is closed.</exception>
    public ValueTask<IMeshConnection> GetAsync(DeviceId id, CancellationToken cancellationToken)
    {
        Task<IMeshConnection> dial;
        lock (_lock)
        {
            if (_closed)
                return ValueTask.FromException<IMeshConnection>(Closed());
            if (_live.TryGetValue(id, out IMeshConnection? live))
                return ValueTask.FromResult(live);
            if (!_dials.TryGetValue(id, out Task<IMeshConnection>? running))
            {
                if (!_directory.TryGet(id, out DevicePublicKey key, out IReadOnlyList<System.Net.IPEndPoint> addresses))
                    return ValueTask.FromException<IMeshConnection>(Unknown(id));
                if (WhyNotDialled(id) is { } refused)
                    return ValueTask.FromException<IMeshConnection>(refused);
                if (_failures.Blocking(id) is { } error)
                    return ValueTask.FromException<IMeshConnection>(error);
                if (addresses.Count == 0)
                    return ValueTask.FromException<IMeshConnection>(Unreachable(id, "no address of it is known yet"));
                running = Task.Run(() => DialAsync(id, key, addresses), CancellationToken.None);
                _dials.Add(id, running);
            }

            dial = running;
        }

        return new ValueTask<IMeshConnection>(dial.WaitAsync(cancellationToken));
    }

    /// <summary>Opens a stream to a service of a device, over the live connection or a new one, and writes the header.</summary>
    /// <exception cref="MeshException">As <see cref="GetAsync"/>.</exception>
    /// <exception cref="StreamAbortedException">The connection ended meanwhile.</exception>
    public async ValueTask<IMeshStream> OpenAsync(DeviceId id, string service, StreamPriority priority, CancellationToken cancellationToken)
    {
        IMeshConnection connection = await GetAsync(id, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(connection, service, priority, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a stream to a service over a given connection and writes the header.</summary>
    public static async ValueTask<IMeshStream> OpenAsync(
        IMeshConnection connection, string service, StreamPriority priority, CancellationToken cancellationToken)
    {
        if (!ServiceHeader.IsValidName(service))
            throw new ArgumentException($"'{service}' is not a service name: 1 to {ServiceHeader.NameBytesMax} characters of a-z, 0-9 and '-'", nameof(service));
        IMeshStream stream = await connection.OpenStreamAsync(priority, cancellationToken).ConfigureAwait(false);
        try
        {
            await stream.WriteAsync(ServiceHeader.Encode(service), cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch
        {
            stream.Abort(StreamCodes.Done);
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Forgets a failure, so that the next request dials at once: the device was heard of, or its addresses changed.</summary>
    public void ForgetFailure(DeviceId id)
    {
        lock (_lock)
            _failures.Clear(id);
    }

    /// <summary>Lets a dial that is in progress try the addresses known by now as well. Without one nothing happens.</summary>
    public void ReadAddressesAgain(DeviceId id)
    {
        DevicePublicKey key;
        IReadOnlyList<System.Net.IPEndPoint> addresses;
        lock (_lock)
        {
            if (_closed || !_dials.ContainsKey(id) || !_directory.TryGet(id, out key, out addresses))
                return;
        }

        Track(JoinDialAsync(id, key, addresses));
    }

    /// <summary>Dials a device at these addresses alone because somebody asked for it, whatever <see cref="WhyNotDialled"/> says.</summary>
    /// <exception cref="MeshException">As <see cref="GetAsync"/>.</exception>
    public async Task<IMeshConnection> DialAtAsync(DeviceId id, IReadOnlyList<System.Net.IPEndPoint> addresses)
    {
        if (Find(id) is { } live)
            return live;
        if (!_directory.TryGet(id, out DevicePublicKey key, out _))
            throw Unknown(id);
        if (addresses.Count == 0)
            throw Unreachable(id, "no address of it is known yet");
        IMeshConnection connection = await ConnectAsync(id, key, addresses).ConfigureAwait(false);
        return Adopt(connection) ? connection : throw Closed();
    }

    /// <summary>Closes the connection to a device if there is one, for example because it was revoked.</summary>
    public async ValueTask DisconnectAsync(DeviceId id, ulong code, string reason)
    {
        if (Find(id) is { } connection)
            await connection.CloseAsync(code, reason).ConfigureAwait(false);
    }

    /// <summary>Closes all connections and waits until the handlers have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        List<IMeshConnection> open;
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
            open = [.. _live.Values];
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (IMeshConnection connection in open)
            await connection.CloseAsync(0, "shutting down").ConfigureAwait(false);
        await Task.WhenAll(_loops.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private static MeshException Closed() => new(RemotingErrors.HubClosed, "connections are closed: the node is shutting down");

    private static MeshException Unreachable(DeviceId id, string why, Exception? cause = null) =>
        new(RemotingErrors.DeviceUnreachable, $"device {id} is not reachable: {why}", "is its node running? try 'agentmesh peers'", cause);

    private static MeshException Unknown(DeviceId id) =>
        new(RemotingErrors.UnknownDevice, $"no device with the id {id} in this mesh", "run 'agentmesh peers' to see the devices this one knows");

    private async Task<IMeshConnection> DialAsync(DeviceId id, DevicePublicKey key, IReadOnlyList<System.Net.IPEndPoint> addresses)
    {
        try
        {
            IMeshConnection connection = await ConnectAsync(id, key, addresses).ConfigureAwait(false);
            lock (_lock)
            {
                _dials.Remove(id);
                _failures.Clear(id);
            }

            return Adopt(connection) ? connection : throw Closed();
        }
        catch (MeshException e)
        {
            lock (_lock)
            {
                _dials.Remove(id);
                _failures.Add(id, e);
            }

            throw;
        }
    }

    // The endpoint has one dial per device, so this joins the one in progress, whose failure its own task records.
    private async Task JoinDialAsync(DeviceId id, DevicePublicKey key, IReadOnlyList<System.Net.IPEndPoint> addresses)
    {
        try
        {
            Adopt(await ConnectAsync(id, key, addresses).ConfigureAwait(false));
        }
        catch (MeshException)
        {
            // Not found there either.
        }
    }

    private async Task<IMeshConnection> ConnectAsync(DeviceId id, DevicePublicKey key, IReadOnlyList<System.Net.IPEndPoint> addresses)
    {
        using CancellationTokenSource timeout = new(_settings.DialTimeout, _clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        try
        {
            return await _endpoint.ConnectAsync(key, addresses, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            throw Closed();
        }
        catch (Exception e) when (e is not MeshException)
        {
            string why = e is OperationCanceledException ? $"no answer within {_settings.DialTimeout.TotalSeconds:0.#} s" : e.Message;
            throw Unreachable(id, $"{why} ({string.Join(", ", addresses.Select(address => RelayAddress.IsRelay(address) ? "by a beacon" : address.ToString()).Distinct())})", e);
        }
    }

    /// <summary>Makes a connection the live one of its device; false when the hub is closed.</summary>
    private bool Adopt(IMeshConnection connection)
    {
        bool closed;
        lock (_lock)
        {
            closed = _closed;
            if (!closed)
            {
                if (_live.TryGetValue(connection.RemoteId, out IMeshConnection? before) && ReferenceEquals(before, connection))
                    return true;
                // A restarted device opens a connection before the loss of the old one was noticed: the new one is the truth.
                _live[connection.RemoteId] = connection;
                _failures.Clear(connection.RemoteId);
            }
        }

        if (closed)
        {
            Track(connection.CloseAsync(0, "shutting down").AsTask());
            return false;
        }

        Connected?.Invoke(connection);
        Track(ServeAsync(connection));
        return true;
    }

    private async Task AcceptConnectionsAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            IMeshConnection? connection;
            try
            {
                connection = await _endpoint.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or MeshException)
            {
                Counters.FailedAccepts.Increment();
                await Task.Delay(_settings.BackoffMin, _clock).ConfigureAwait(false);
                continue;
            }

            if (connection is null)
                return;
            if (!TakesAside(connection))
                Adopt(connection);
        }
    }

    private async Task ServeAsync(IMeshConnection connection)
    {
        await Task.Yield();
        using CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        Task serving = _dispatcher.ServeAsync(connection, stopping.Token);
        ConnectionEnd end = await connection.Closed.ConfigureAwait(false);
        lock (_lock)
        {
            if (_live.TryGetValue(connection.RemoteId, out IMeshConnection? live) && ReferenceEquals(live, connection))
                _live.Remove(connection.RemoteId);
        }

        Disconnected?.Invoke(connection, end);
        await stopping.CancelAsync().ConfigureAwait(false);
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Track(Task task)
    {
        _loops.TryAdd(task, 0);
        _ = task.ContinueWith(done => _loops.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
