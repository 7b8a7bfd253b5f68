using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using AgentMesh.Beacon.Wire;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Beacon.Client;

/// <summary>
/// One registration at a relay, a beacon or a device of the mesh, over a stream of a connection to it: says whom to meet there, and opens and closes the channels that it
/// offers. Ends with its stream. Thread-safe.
/// </summary>
public sealed class RelaySession
{
    private const int FramesMax = 64;

    private readonly MeshEndpoint _endpoint;
    private readonly MeshConnection _connection;
    private readonly IMeshStream _stream;
    private readonly RelaySessionOptions _options;
    private readonly TimeProvider _time;
    private readonly Channel<BeaconFrame> _frames = Channel.CreateBounded<BeaconFrame>(new BoundedChannelOptions(FramesMax) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly HashSet<ulong> _channels = [];
    private readonly ConcurrentDictionary<(ulong Channel, IPEndPoint Address), TaskCompletionSource<bool>> _questions = new();
    private int _doubting;
    private long _heardAt;

    /// <param name="stream">Its service header is written.</param>
    public RelaySession(MeshEndpoint endpoint, MeshConnection connection, IMeshStream stream, RelaySessionOptions options, TimeProvider time)
    {
        _endpoint = endpoint;
        _connection = connection;
        _stream = stream;
        _options = options;
        _time = time;
    }

    /// <summary>The relay took this device in, or sees it at another address: null where that means nothing to others.</summary>
    public event Action<IPEndPoint?>? Welcomed;

    /// <summary>The relay dropped so many datagrams because this device sent more than it may.</summary>
    public event Action<uint>? Limited;

    /// <summary>The relay has an observer at this port, which this ticket opens.</summary>
    public event Action<int, UInt128>? Observed;

    /// <summary>A frame of pairing by code.</summary>
    internal event Action<BeaconFrame>? CodeFrame;

    /// <summary>Asks the relay whether it still knows this device; where it does not answer, the session ends.</summary>
    /// <returns>False where it ends; true also where it is being asked already.</returns>
    public Task<bool> ProveAsync() => Interlocked.Exchange(ref _doubting, 1) == 0 ? AskAsync() : Task.FromResult(true);

    /// <summary>The devices to meet there have changed.</summary>
    public void Refresh() => Say(Hello());

    /// <summary>Whether the device at the other end of a channel is at this IP address; never completes where the relay does not answer.</summary>
    public Task<bool> AskAsync(ulong channel, IPEndPoint address)
    {
        if (_questions.Count > FramesMax)
        {
            _questions.Clear(); // of a relay that never answers
        }

        Task<bool> answer = _questions.GetOrAdd((channel, address), _ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        Say(new BeaconFrame(BeaconFrameType.Confirm, channel, address));
        return answer;
    }

    /// <summary>It ended because what the relay said is no frame of this protocol.</summary>
    public bool HeardNonsense { get; private set; }

    /// <summary>Until the stream, the connection or the token ends it; never faults.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _endpoint.Relays.Doubted += OnDoubted;
        try
        {
            Say(Hello());
            Task talking = TalkAsync(over.Token), listening = ListenAsync(over.Token);
            await Task.WhenAny(talking, listening, _connection.Closed).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(talking, listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _endpoint.Relays.Doubted -= OnDoubted;
            CloseAll();
        }
    }

    private BeaconFrame Hello() =>
        new(BeaconFrameType.Hello, Devices: [.. _options.Wanted().Take(BeaconFrame.DevicesMax)], Meetings: [.. _options.Meetings().Take(BeaconFrame.MeetingsMax)]);

    /// <summary>What others make this device say may not push out what it has to say itself.</summary>
    internal void SayIfRoom(BeaconFrame frame)
    {
        if (_frames.Reader.Count < FramesMax / 2)
        {
            Say(frame);
        }
    }

    private void Say(BeaconFrame frame) => _frames.Writer.TryWrite(frame);

    private async Task TalkAsync(CancellationToken cancellationToken)
    {
        await foreach (BeaconFrame frame in _frames.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await _stream.WriteAsync(frame.ToBytes(), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (await BeaconStream.ReadAsync(_stream, cancellationToken, () => HeardNonsense = true).ConfigureAwait(false) is { } frame)
        {
            Interlocked.Exchange(ref _heardAt, _time.GetTimestamp());
            switch (frame.Type)
            {
                case BeaconFrameType.Welcome or BeaconFrameType.Observed:
                    Welcomed?.Invoke(frame.Address is { } seen && !RelayAddress.IsRelay(seen) ? seen : null);
                    break;
                case BeaconFrameType.Channel:
                    Open(frame.Value, frame.Devices![0]);
                    break;
                case BeaconFrameType.Gone:
                    Close(frame.Value);
                    break;
                case BeaconFrameType.Limited:
                    Limited?.Invoke(frame.Count);
                    break;
                case BeaconFrameType.Confirmed:
                    if (_questions.TryRemove((frame.Value, frame.Address!), out TaskCompletionSource<bool>? question))
                    {
                        question.TrySetResult(frame.Count == 1);
                    }

                    break;
                case BeaconFrameType.Observer:
                    Observed?.Invoke((int)frame.Count, frame.Meetings![0]);
                    break;
                case >= BeaconFrameType.CodePlaces and <= BeaconFrameType.CodeNobody:
                    CodeFrame?.Invoke(frame);
                    break;
                default:
                    // Pong has said all by coming; a newer relay may say more.
                    break;
            }
        }
    }

    // A relay may offer what was asked for and nothing else.
    private void Open(ulong id, DeviceId device)
    {
        lock (_channels)
        {
            if (_channels.Count >= BeaconFrame.DevicesMax || (!_options.Wanted().Contains(device) && !_options.Meetings().Any()) || !_channels.Add(id))
            {
                return;
            }
        }

        if (!_endpoint.Relays.TryOpen(new RelayChannel(id, _endpoint.ListedAs(device), _connection, _options.Name, _options.IsPeer)))
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

    // Anybody between could say it, so the relay itself is asked.
    private void OnDoubted(RelayChannel channel)
    {
        if (ReferenceEquals(_connection, channel.Beacon))
        {
            _ = Task.Run(ProveAsync);
        }
    }

    private async Task<bool> AskAsync()
    {
        long asked = _time.GetTimestamp();
        Say(new BeaconFrame(BeaconFrameType.Ping, (ulong)asked));
        await Task.Delay(_options.DoubtTimeout, _time).ConfigureAwait(false);
        bool isKnown = Interlocked.Read(ref _heardAt) >= asked;
        if (!isKnown)
        {
            await _options.Forgotten().ConfigureAwait(false);
        }

        Interlocked.Exchange(ref _doubting, 0);
        return isKnown;
    }
}

/// <param name="Name">What people call the relay.</param>
/// <param name="IsPeer">It is a device of the mesh.</param>
/// <param name="Wanted">The devices to meet there; asked for again by <see cref="RelaySession.Refresh"/>.</param>
/// <param name="Meetings">Secrets shared with devices that are not known yet; who says one of them there is met too.</param>
/// <param name="Forgotten">The relay does not know this device any more.</param>
/// <param name="DoubtTimeout">So long the relay may take to prove the contrary.</param>
public sealed record RelaySessionOptions(
    string Name, bool IsPeer, Func<IEnumerable<DeviceId>> Wanted, Func<IEnumerable<UInt128>> Meetings, Func<ValueTask> Forgotten, TimeSpan DoubtTimeout);
