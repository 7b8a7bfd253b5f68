using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using AgentMesh.Beacon.Wire;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Pairing;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Beacon.Client;

/// <summary>Keeps this device registered with one beacon, from its endpoint's own sockets, and opens the relay channels that the beacon offers. Thread-safe.</summary>
public sealed class BeaconClient : IAsyncDisposable
{
    private readonly MeshEndpoint _endpoint;
    private readonly BeaconAddress _place;
    private readonly Func<IEnumerable<DeviceId>> _wanted;
    private readonly Func<IEnumerable<UInt128>> _meetings;
    private readonly BeaconClientSettings _settings;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<ulong> _channels = [];
    private readonly BeaconCodeWay _codes;
    private Task _running = Task.CompletedTask;
    private volatile Registration? _registration;
    private volatile IPEndPoint? _observed;
    private volatile MeshException? _problem;
    private long _limited;

    /// <param name="wanted">The devices to meet there; asked for again by <see cref="Refresh"/>.</param>
    /// <param name="meetings">Secrets shared with devices that are not known yet; who says one of them there is met too.</param>
    public BeaconClient(MeshEndpoint endpoint, BeaconAddress place, Func<IEnumerable<DeviceId>> wanted, Func<IEnumerable<UInt128>> meetings, BeaconClientSettings settings, TimeProvider time)
    {
        _endpoint = endpoint;
        _place = place;
        _wanted = wanted;
        _meetings = meetings;
        _settings = settings;
        _time = time;
        _codes = new BeaconCodeWay(place, frame => _registration?.SayIfRoom(frame), () => IsRegistered);
        endpoint.Relays.Doubted += OnDoubted;
    }

    /// <summary>Registered, no longer registered, or seen at another address.</summary>
    public event Action<BeaconClient>? Changed;

    public BeaconAddress Place => _place;

    /// <summary>By this way codes can be found and followed.</summary>
    public ICodeWay Codes => _codes;

    public bool IsRegistered => _observed is not null;

    /// <summary>Where the beacon sees this device; null while it is not registered.</summary>
    public IPEndPoint? Observed => _observed;

    /// <summary>Why it is not registered; null when it is, or before the first attempt has ended.</summary>
    public MeshException? Problem => _problem;

    /// <summary>Datagrams that the beacon dropped because this device sent more than it may.</summary>
    public long Limited => Interlocked.Read(ref _limited);

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>The devices to meet there have changed.</summary>
    public void Refresh() => _registration?.Say(Hello());

    public async ValueTask DisposeAsync()
    {
        _endpoint.Relays.Doubted -= OnDoubted;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private BeaconFrame Hello() => new(BeaconFrameType.Hello, Devices: [.. _wanted().Take(BeaconFrame.DevicesMax)], Meetings: [.. _meetings().Take(BeaconFrame.MeetingsMax)]);

    private async Task RunAsync()
    {
        TimeSpan wait = _settings.RetryMin;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                MeshConnection connection = await ConnectAsync().ConfigureAwait(false);
                if (await RegisterAsync(connection).ConfigureAwait(false))
                {
                    wait = _settings.RetryMin;
                }
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
                await Task.Delay(Jittered(wait), _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, _settings.RetryMax.Ticks));
            }
        }
    }

    private async Task<MeshConnection> ConnectAsync()
    {
        using var late = new CancellationTokenSource(_settings.ConnectTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stop.Token);
        string why = "";
        try
        {
            IPAddress[] hosts = await Dns.GetHostAddressesAsync(_place.Host, either.Token).ConfigureAwait(false);
            return (MeshConnection)await _endpoint.ConnectAsync(_place.Key, [.. hosts.Select(host => new IPEndPoint(host, _place.Port))], either.Token).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            why = $": {error.Message}";
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            why = $": no answer within {_settings.ConnectTimeout.TotalSeconds:0.#} s";
        }
        catch (MeshException error)
        {
            why = $": {error.Message}";
        }

        throw new MeshException(
            BeaconErrors.Unreachable, $"the beacon {_place.Name} is not reachable{why}", "is it running, is UDP to it allowed, is the key in agentmesh.beacons its own, and does its --admit list have this device?");
    }

    /// <returns>True when the beacon took this device in.</returns>
    private async Task<bool> RegisterAsync(MeshConnection connection)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        bool isWelcome = false;
        try
        {
            IMeshStream stream = await connection.OpenStreamAsync(StreamPriority.Control, over.Token).ConfigureAwait(false);
            var registration = new Registration(connection, stream);
            registration.Say(Hello());
            _registration = registration;
            Task talking = registration.TalkAsync(over.Token), listening = ListenAsync(registration, () => isWelcome = true, over.Token);
            await Task.WhenAny(talking, listening, connection.Closed).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(talking, listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _problem = connection.Closed is { IsCompletedSuccessfully: true, Result: { Code: Server.BeaconCodes.Full } }
                ? new MeshException(BeaconErrors.Full, $"the beacon {_place.Name} has no room for another device", "ask its operator, or name another beacon in agentmesh.beacons")
                : new MeshException(BeaconErrors.Unreachable, $"the connection to the beacon {_place.Name} was lost", "it is tried again by itself");
            return isWelcome;
        }
        finally
        {
            _registration = null;
            _observed = null;
            CloseAll();
            _codes.Changed(isWelcome: false);
            await connection.CloseAsync(0, "done").ConfigureAwait(false);
            Changed?.Invoke(this);
        }
    }

    private async Task ListenAsync(Registration registration, Action welcome, CancellationToken cancellationToken)
    {
        while (await BeaconStream.ReadAsync(registration.Stream, cancellationToken).ConfigureAwait(false) is { } frame)
        {
            registration.Heard(_time.GetTimestamp());
            switch (frame.Type)
            {
                case BeaconFrameType.Welcome or BeaconFrameType.Observed:
                    welcome();
                    _problem = null;
                    _observed = frame.Address;
                    if (frame.Type == BeaconFrameType.Welcome)
                    {
                        _codes.Changed(isWelcome: true);
                    }

                    Changed?.Invoke(this);
                    break;
                case BeaconFrameType.Channel:
                    Open(registration.Connection, frame.Value, frame.Devices![0]);
                    break;
                case BeaconFrameType.Gone:
                    Close(frame.Value);
                    break;
                case BeaconFrameType.Limited:
                    Interlocked.Add(ref _limited, frame.Count);
                    break;
                case >= BeaconFrameType.CodePlaces and <= BeaconFrameType.CodeNobody:
                    _codes.Take(frame);
                    break;
                default:
                    // Pong has said all by coming; a newer beacon may say more.
                    break;
            }
        }
    }

    // A beacon may offer what was asked for and nothing else.
    private void Open(MeshConnection beacon, ulong id, DeviceId device)
    {
        lock (_channels)
        {
            if (_channels.Count >= BeaconFrame.DevicesMax || (!_wanted().Contains(device) && !_meetings().Any()) || !_channels.Add(id))
            {
                return;
            }
        }

        if (!_endpoint.Relays.TryOpen(new RelayChannel(id, device, beacon, _place.Name)))
        {
            lock (_channels)
            {
                _channels.Remove(id);
            }
        }
    }

    private void Close(ulong id)
    {
        lock (_channels)
        {
            if (!_channels.Remove(id))
            {
                return;
            }
        }

        _endpoint.Relays.Close(id);
    }

    private void CloseAll()
    {
        ulong[] open;
        lock (_channels)
        {
            open = [.. _channels];
        }

        Array.ForEach(open, Close);
    }

    // Anybody between could say it, so the beacon itself is asked.
    private void OnDoubted(RelayChannel channel)
    {
        if (_registration is { } registration && ReferenceEquals(registration.Connection, channel.Beacon) && registration.TryDoubt())
        {
            _ = Task.Run(() => ProveAsync(registration));
        }
    }

    private async Task ProveAsync(Registration registration)
    {
        long asked = _time.GetTimestamp();
        registration.Say(new BeaconFrame(BeaconFrameType.Ping, (ulong)asked));
        await Task.Delay(_settings.DoubtTimeout, _time).ConfigureAwait(false);
        if (registration.HeardAt < asked)
        {
            await registration.Connection.CloseAsync(0, "forgotten").ConfigureAwait(false);
        }

        registration.EndDoubt();
    }

    private TimeSpan Jittered(TimeSpan wait)
    {
        Span<byte> random = stackalloc byte[sizeof(uint)];
        SystemEntropy.Instance.Fill(random);
        return wait * (0.75 + (BinaryPrimitives.ReadUInt32BigEndian(random) / (double)uint.MaxValue / 2));
    }

    /// <summary>One life of the registration.</summary>
    private sealed class Registration(MeshConnection connection, IMeshStream stream)
    {
        private const int FramesMax = 64;

        private readonly Channel<BeaconFrame> _frames = Channel.CreateBounded<BeaconFrame>(new BoundedChannelOptions(FramesMax) { FullMode = BoundedChannelFullMode.DropOldest });
        private int _doubting;
        private long _heardAt;

        public MeshConnection Connection => connection;

        public IMeshStream Stream => stream;

        public long HeardAt => Interlocked.Read(ref _heardAt);

        public void Heard(long at) => Interlocked.Exchange(ref _heardAt, at);

        public void Say(BeaconFrame frame) => _frames.Writer.TryWrite(frame);

        /// <summary>What others make this device say may not push out what it has to say itself.</summary>
        public void SayIfRoom(BeaconFrame frame)
        {
            if (_frames.Reader.Count < FramesMax / 2)
            {
                Say(frame);
            }
        }

        public bool TryDoubt() => Interlocked.Exchange(ref _doubting, 1) == 0;

        public void EndDoubt() => Interlocked.Exchange(ref _doubting, 0);

        public async Task TalkAsync(CancellationToken cancellationToken)
        {
            await stream.WriteAsync(BeaconStream.Header, cancellationToken).ConfigureAwait(false);
            await foreach (BeaconFrame frame in _frames.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await stream.WriteAsync(frame.ToBytes(), cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
