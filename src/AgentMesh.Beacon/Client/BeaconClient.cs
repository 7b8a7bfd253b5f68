using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Wire;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Beacon.Client;

/// <summary>
/// Keeps this device registered with one beacon, from its endpoint's own sockets or, where UDP does not get through, over a WebSocket, and opens the relay channels that
/// the beacon offers. Thread-safe.
/// </summary>
public sealed class BeaconClient : IAsyncDisposable
{
    private readonly MeshEndpoint _endpoint;
    private readonly BeaconAddress _place;
    private readonly Func<IEnumerable<DeviceId>> _wanted;
    private readonly Func<IEnumerable<UInt128>> _meetings;
    private readonly BeaconClientSettings _settings;
    private readonly NameLookup _names;
    private readonly TimeProvider _time;
    private readonly BeaconDialer _dialer;
    private readonly ReconnectPace _pace;
    private readonly CancellationTokenSource _stop = new();
    private readonly Poker _hurried;
    private readonly BeaconCodeWay _codes;
    private Task _running = Task.CompletedTask;
    private volatile RelaySession? _session;
    private volatile BeaconWay? _way;
    private volatile IPEndPoint? _observed;
    private volatile bool _isRegistered;
    private volatile MeshException? _problem;
    private volatile ObserverPlace? _observer;
    private long _limited;
    private long _attempts;

    /// <param name="wanted">The devices to meet there; asked for again by <see cref="Refresh"/>.</param>
    /// <param name="meetings">Secrets shared with devices that are not known yet; who says one of them there is met too.</param>
    public BeaconClient(
        MeshEndpoint endpoint, BeaconAddress place, Func<IEnumerable<DeviceId>> wanted, Func<IEnumerable<UInt128>> meetings, BeaconClientSettings settings, NameLookup names, TimeProvider time)
    {
        _endpoint = endpoint;
        _place = place;
        _wanted = wanted;
        _meetings = meetings;
        _settings = settings;
        _names = names;
        _time = time;
        _codes = new BeaconCodeWay(place, frame => _session?.SayIfRoom(frame), () => IsRegistered);
        _dialer = new BeaconDialer(endpoint, place, settings, names, time);
        _hurried = new Poker(time);
        _pace = new ReconnectPace(settings.RetryMin, settings.RetryMax);
    }

    /// <summary>Registered, no longer registered, seen at another address, or reached another way.</summary>
    public event Action<BeaconClient>? Changed;

    public BeaconAddress Place => _place;

    /// <summary>By this way codes can be found and followed.</summary>
    public ICodeWay Codes => _codes;

    public bool IsRegistered => _isRegistered;

    /// <summary>Where the beacon sees this device by UDP; null while it is not registered, or over a WebSocket.</summary>
    public IPEndPoint? Observed => _observed;

    /// <summary>Tells from where datagrams of this device come; null where the beacon has none.</summary>
    public ObserverPlace? Observer => _observer;

    /// <summary>It has an observer now, or another one.</summary>
    public event Action<BeaconClient>? ObserverChanged;

    /// <summary>UDP to the beacon does not get through: a WebSocket carries everything.</summary>
    public bool IsByWebSocket => _way is { IsTunnelled: true };

    /// <summary>Why it is not registered; null when it is, or before the first attempt has ended.</summary>
    public MeshException? Problem => _problem;

    /// <summary>Datagrams that the beacon dropped because this device sent more than it may.</summary>
    public long Limited => Interlocked.Read(ref _limited);

    /// <summary>Attempts to reach the beacon since the start.</summary>
    public long Attempts => Interlocked.Read(ref _attempts);

    /// <summary>WebSockets that were tried since the start.</summary>
    public long WebSockets => _dialer.WebSockets;

    /// <summary>Asks whether the device at the other end of a channel of this beacon is at an IP address.</summary>
    /// <returns>Null when the beacon has no such channel or does not answer in time.</returns>
    public async Task<bool?> ConfirmAsync(DeviceId device, IPEndPoint address, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (_session is not { } session || _way is not { } way || _endpoint.Relays.To(device).FirstOrDefault(channel => ReferenceEquals(channel.Beacon, way.Connection)) is not { } channel)
        {
            return null;
        }

        Task<bool> answer = session.AskAsync(channel.Id, address);
        await Task.WhenAny(answer, Task.Delay(timeout, _time, cancellationToken)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return answer.IsCompletedSuccessfully ? await answer.ConfigureAwait(false) : null;
    }

    public void Start()
    {
        _endpoint.NetworkChanged += OnNetworkChanged;
        _running = Task.Run(RunAsync);
    }

    /// <summary>The devices to meet there have changed.</summary>
    public void Refresh() => _session?.Refresh();

    public async ValueTask DisposeAsync()
    {
        _endpoint.NetworkChanged -= OnNetworkChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        long away = _time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            bool wasWelcome = false;
            long begun = _time.GetTimestamp();
            try
            {
                Interlocked.Increment(ref _attempts);
                await using BeaconWay way = await _dialer.ConnectAsync(ReconnectPace.Knock(_time.GetElapsedTime(away), _settings.Knock, _settings.ConnectTimeout), _stop.Token).ConfigureAwait(false);
                wasWelcome = await RegisterAsync(way).ConfigureAwait(false);
            }
            catch (MeshException error)
            {
                _problem = error;
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                _problem = new MeshException(BeaconErrors.Unreachable, $"the connection to the beacon {_place.Name} was lost", "it is tried again by itself", error);
            }

            if (!_stop.IsCancellationRequested)
            {
                away = wasWelcome ? _time.GetTimestamp() : away;
                TimeSpan wait = wasWelcome ? _pace.First(Chance()) : _pace.Next(_time.GetElapsedTime(away), _time.GetElapsedTime(begun), Chance());

                // Not any longer when the network changes, which happens to this device alone.
                await _hurried.WaitAsync(wait, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    // Where the beacon is reached no more, it is dialled again, perhaps at its address of the other family.
    private void OnNetworkChanged() => _ = Task.Run(async () =>
    {
        if (_session is not { } session || !await session.ProveAsync().ConfigureAwait(false))
        {
            _hurried.Poke();
        }
    });

    /// <returns>True when the beacon took this device in.</returns>
    private async Task<bool> RegisterAsync(BeaconWay way)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        bool isWelcome = false;
        _way = way;
        _dialer.IsUdpSilent = way.IsTunnelled;
        way.Connection.SilenceMax = _settings.SilenceMax;
        Task returning = way.HasTunnel ? ReturnToUdpAsync(way, over.Token) : Task.CompletedTask;
        try
        {
            IMeshStream stream = await way.Connection.OpenStreamAsync(StreamPriority.Control, over.Token).ConfigureAwait(false);
            await stream.WriteAsync(BeaconStream.Header, over.Token).ConfigureAwait(false);
            var options = new RelaySessionOptions(_place.Name, IsPeer: false, _wanted, _meetings, () => way.Connection.CloseAsync(0, "forgotten"), _settings.DoubtTimeout);
            var session = new RelaySession(_endpoint, way.Connection, stream, options, _time);
            session.Limited += count => Interlocked.Add(ref _limited, count);
            session.Welcomed += seen =>
            {
                bool wasWelcome = isWelcome;
                (isWelcome, _isRegistered) = (true, true);
                _problem = null;
                _observed = seen;
                if (!wasWelcome)
                {
                    Remember(way);
                    _codes.Changed(isWelcome: true);
                }

                Changed?.Invoke(this);
            };
            session.CodeFrame += _codes.Take;
            session.Observed += (port, ticket) =>
            {
                if (!way.IsTunnelled)
                {
                    _observer = new ObserverPlace(new IPEndPoint(way.Connection.Path.Remote.Address, port), ticket);
                    ObserverChanged?.Invoke(this);
                }
            };
            _session = session;
            await session.RunAsync(over.Token).ConfigureAwait(false);
            _problem = way.Connection.Closed is { IsCompletedSuccessfully: true, Result: { Code: Server.BeaconCodes.Full } }
                ? new MeshException(BeaconErrors.Full, $"the beacon {_place.Name} has no room for another device", "ask its operator, or name another beacon in agentmesh.beacons")
                : session.HeardNonsense
                ? new MeshException(BeaconErrors.Nonsense, $"the beacon {_place.Name} said something that is no answer of a beacon, and was left", "update the older of the two, this device or the beacon; it is tried again by itself")
                : new MeshException(BeaconErrors.Unreachable, $"the connection to the beacon {_place.Name} was lost", "it is tried again by itself");
            return isWelcome;
        }
        finally
        {
            _session = null;
            _way = null;
            _isRegistered = false;
            _observed = null;
            _observer = null;
            _codes.Changed(isWelcome: false);
            await over.CancelAsync().ConfigureAwait(false);
            await returning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Changed?.Invoke(this);
        }
    }

    // Its key has proven that it is the beacon. Of a WebSocket the dialer has said so.
    private void Remember(BeaconWay way)
    {
        if (way.Connection.Path is { Kind: MeshPathInfo.Direct } path)
        {
            _names.Answered(_place.Host, path.Remote.Address);
        }
    }

    /// <summary>Tries UDP from time to time while a WebSocket carries everything, and gives the WebSocket up some time after UDP has taken over.</summary>
    private async Task ReturnToUdpAsync(BeaconWay way, CancellationToken cancellationToken)
    {
        var moved = new Poker(_time);
        way.Connection.PathChanged += OnMoved;
        try
        {
            for (int round = 0; way.HasTunnel;)
            {
                TimeSpan wait = way.IsTunnelled ? _settings.UdpAgain[Math.Min(round++, _settings.UdpAgain.Count - 1)] : _settings.KeepWebSocket;
                if (await moved.WaitAsync(wait * (0.75 + (Chance() / 2)), cancellationToken).ConfigureAwait(false))
                {
                    _dialer.IsUdpSilent = way.IsTunnelled;
                    Remember(way);
                    Changed?.Invoke(this);
                }
                else if (way.IsTunnelled)
                {
                    way.Connection.ProbeOwn(await AddressesAsync(cancellationToken).ConfigureAwait(false));
                }
                else
                {
                    way.CloseTunnel();
                }
            }
        }
        finally
        {
            way.Connection.PathChanged -= OnMoved;
        }

        void OnMoved(MeshConnection connection) => moved.Poke();
    }

    private async Task<IPEndPoint[]> AddressesAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _dialer.AddressesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return []; // only the proxy knows its name
        }
    }

    private static double Chance()
    {
        Span<byte> random = stackalloc byte[sizeof(uint)];
        SystemEntropy.Instance.Fill(random);
        return BinaryPrimitives.ReadUInt32BigEndian(random) / (double)uint.MaxValue;
    }
}
