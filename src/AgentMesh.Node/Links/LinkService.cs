using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Membership;
using AgentMesh.Node.Reach;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport;

namespace AgentMesh.Node.Links;

/// <summary>
/// Keeps a connection to every admitted device that can be reached, and on it the link: names, addresses, the registry, and which cluster each
/// side believes in. It works without any actor system, because it is what brings clusters together.
/// </summary>
internal sealed class LinkService : IAsyncDisposable
{
    public const string Service = "link";

    /// <summary>How often it is looked whether a device that is not dialled is still one of the mesh.</summary>
    private static readonly TimeSpan LeftAlone = TimeSpan.FromMinutes(1);

    private readonly ConnectionHub _hub;
    private readonly DeviceDirectory _directory;
    private readonly IRegistryExchange _registry;
    private readonly LinkSettings _settings;
    private readonly Func<Hello> _hello;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<DeviceId, LinkKeeper> _keepers = new();
    private readonly ConcurrentDictionary<DeviceId, LinkSession> _sessions = new();
    private readonly ConcurrentDictionary<DeviceId, Puncher> _punchers = new();
    private volatile ClusterView? _ownView;

    public LinkService(ConnectionHub hub, DeviceDirectory directory, IRegistryExchange registry, LinkSettings settings, Func<Hello> hello, TimeProvider time)
    {
        _hub = hub;
        _directory = directory;
        _registry = registry;
        _settings = settings;
        _hello = hello;
        _time = time;
        News = new LinkNews(time);
        Sightings = new Sightings(hub, directory, IsLinked, Hurry);
        hub.Register(Service, ServeAsync);
        hub.Connected += OnConnected;
        registry.Changed += OnRegistryChanged;
    }

    /// <summary>A link came up, went down, or its device has a new view of its cluster.</summary>
    public event Action<DeviceId>? Changed;

    /// <summary>Of links, of what is heard over them, and of the registry.</summary>
    public LinkNews News { get; }

    /// <summary>Takes what is heard of where devices are.</summary>
    public Sightings Sightings { get; }

    /// <summary>What is used to look for direct paths.</summary>
    public PunchHelp Help { get; set; } = new() { Candidates = static () => [] };

    /// <summary>How the search for a direct path to a linked device goes; null while nothing is to be said of it.</summary>
    public RelayedReason? WhyRelayed(DeviceId device) => _punchers.GetValueOrDefault(device)?.Reason;

    /// <summary>This device has other addresses: what was tried in vain may work now.</summary>
    public void TakeNewCandidates()
    {
        foreach (Puncher puncher in _punchers.Values)
        {
            puncher.Hurry();
        }
    }

    /// <summary>What the hello of this device says may be different now.</summary>
    public void SayAgain() => PokeAll();

    /// <summary>Packets to a linked device take this path from now on.</summary>
    public event Action<DeviceId, MeshPathInfo>? PathChanged;

    /// <summary>The views of all linked devices that have told one.</summary>
    public IReadOnlyCollection<ClusterView> Views => [.. _sessions.Values.Select(session => session.View).OfType<ClusterView>()];

    /// <summary>Which life of its node a device has now; null while there is no link to it.</summary>
    public long? LifeOf(DeviceId device) => _sessions.GetValueOrDefault(device)?.Life;

    /// <summary>What this device has to do, for the others to choose by.</summary>
    public Func<DeviceLoad> OwnLoad { get; set; } = static () => DeviceLoad.Unknown;

    /// <summary>What another device has to do, as it said last.</summary>
    public DeviceLoad LoadOf(DeviceId device) => _sessions.GetValueOrDefault(device)?.Load ?? DeviceLoad.Unknown;

    /// <summary>This device hears another over its link, or hears one that does.</summary>
    public bool IsInTouch(DeviceId device) => _sessions.Any(session => session.Value.IsHeard && (session.Key == device || session.Value.Hears.Contains(device)));

    /// <summary>How many entries of an author's chain a linked device has said to have; 0 while there is no link.</summary>
    public ulong HeadOf(DeviceId device, DeviceId author) => _sessions.GetValueOrDefault(device)?.Heads?.GetValueOrDefault(author) ?? 0;

    public bool IsLinked(DeviceId device) => _sessions.ContainsKey(device);

    public IReadOnlyCollection<DeviceId> Linked => [.. _sessions.Keys];

    /// <summary>Not every linked one is.</summary>
    private IEnumerable<DeviceId> Heard => _sessions.Where(session => session.Value.IsHeard).Select(session => session.Key);

    /// <summary>What is told to the others; null while this device has not joined anything.</summary>
    public ClusterView? OwnView
    {
        get => _ownView;
        set
        {
            _ownView = value;
            PokeAll();
        }
    }

    /// <summary>Starts to look for every admitted device, and for those that are admitted later.</summary>
    public void KeepAll()
    {
        foreach (DeviceId device in _directory.Admitted.Keys)
        {
            Keep(device);
        }
    }

    /// <summary>Dials at once instead of at the end of the present wait.</summary>
    public void Hurry(DeviceId device)
    {
        _hub.ForgetFailure(device);
        Keep(device).Hurry();
    }

    /// <summary>Whom this device dials by itself may be different now.</summary>
    public void LookAgain()
    {
        foreach (DeviceId device in _keepers.Keys)
        {
            Hurry(device);
        }
    }

    /// <summary>Waits while it is not known yet whether there is a link to a device: it was just paired, told of or connected, or this node just started.</summary>
    public async Task KnowAsync(DeviceId device, CancellationToken cancellationToken)
    {
        if (LifeOf(device) is null && _keepers.TryGetValue(device, out LinkKeeper? keeper))
        {
            await Task.WhenAny(keeper.Known, Task.Delay(_settings.ConnectTimeout, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public string? Problem(DeviceId device) => _keepers.GetValueOrDefault(device)?.Problem;

    /// <summary>Of the error behind <see cref="Problem"/>.</summary>
    public string? ProblemCode(DeviceId device) => _keepers.GetValueOrDefault(device) is { Problem: not null } keeper ? keeper.ProblemCode : null;

    public bool IsConnecting(DeviceId device) => _keepers.GetValueOrDefault(device)?.IsConnecting ?? false;

    public async ValueTask DisposeAsync()
    {
        _registry.Changed -= OnRegistryChanged;
        _hub.Connected -= OnConnected;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_keepers.Values.Select(keeper => keeper.Running)).ConfigureAwait(false);
        _stop.Dispose();
    }

    private LinkKeeper Keep(DeviceId device)
    {
        var fresh = new LinkKeeper();
        LinkKeeper keeper = _keepers.GetOrAdd(device, fresh);
        if (ReferenceEquals(keeper, fresh))
        {
            keeper.Running = Task.Run(() => KeepAsync(device, keeper));
        }

        return keeper;
    }

    /// <summary>Whoever made it, the link goes over it.</summary>
    private void OnConnected(IMeshConnection connection)
    {
        if (!IsLinked(connection.RemoteId) && _keepers.TryGetValue(connection.RemoteId, out LinkKeeper? keeper))
        {
            keeper.Hurry();
        }
    }

    private async Task KeepAsync(DeviceId device, LinkKeeper keeper)
    {
        TimeSpan wait = _settings.RetryMin;
        while (!_stop.IsCancellationRequested)
        {
            if (!_hub.IsLive(device) && _hub.WhyNotDialled(device) is { } left)
            {
                // Until it comes by itself, or somebody wants it.
                keeper.Failed(left.Message, left.Code);
                await keeper.WaitAsync(LeftAlone, _time, _stop.Token).ConfigureAwait(false);
                if (IsOut(device, keeper))
                {
                    return;
                }

                continue;
            }

            try
            {
                keeper.IsConnecting = true;
                using var late = new CancellationTokenSource(_settings.ConnectTimeout, _time);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, late.Token);
                IMeshConnection connection = await _hub.GetAsync(device, patience.Token).ConfigureAwait(false);
                keeper.IsConnecting = false;
                keeper.Problem = null;
                wait = _settings.RetryMin;
                if (connection.IsInitiator)
                {
                    IMeshStream stream = await _hub.OpenAsync(device, Service, StreamPriority.Control, patience.Token).ConfigureAwait(false);
                    await RunSessionAsync(connection, stream, _stop.Token).ConfigureAwait(false);
                }
                else
                {
                    // The side that opened the connection opens the link.
                    await connection.Closed.WaitAsync(_stop.Token).ConfigureAwait(false);
                }
            }
            catch (MeshException error)
            {
                keeper.Failed(error.Message, error.Code);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException)
            {
                keeper.Failed(keeper.Problem ?? "no answer", keeper.ProblemCode);
            }

            keeper.IsConnecting = false;
            if (_stop.IsCancellationRequested || IsOut(device, keeper))
            {
                return;
            }

            bool hurried = await keeper.WaitAsync(wait, _time, _stop.Token).ConfigureAwait(false);
            wait = hurried ? _settings.RetryMin : TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, _settings.RetryMax.Ticks));
        }
    }

    private bool IsOut(DeviceId device, LinkKeeper keeper) => !_directory.Admitted.ContainsKey(device) && _keepers.TryRemove(new KeyValuePair<DeviceId, LinkKeeper>(device, keeper));

    private Task ServeAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken) => RunSessionAsync(connection, stream, cancellationToken);

    private async Task RunSessionAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken)
    {
        DeviceId device = connection.RemoteId;
        var session = new LinkSession(stream, new LinkTalk(_hello, _registry, () => _ownView, () => Sightings.Say(Heard), () => LinkContent.Of(OwnLoad())), _settings.Refresh, _time);
        _sessions[device] = session;
        _directory.Found(device, connection.Path is { IsRelayed: false } path ? path.Remote : null);
        Puncher? puncher = connection is MeshConnection direct ? new Puncher(direct, session, Help, path => TakePath(device, path), _time) : null;
        if (puncher is not null)
        {
            _punchers[device] = puncher;
        }

        Tell(device);

        // The others may look for this one.
        PokeAll();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        try
        {
            Task talking = session.TalkAsync(over.Token);
            Task listening = ListenAsync(device, session, puncher, over.Token);
            Task punching = puncher?.RunAsync(over.Token) ?? Task.CompletedTask;
            await Task.WhenAny(talking, listening).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(talking, listening, punching).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or MeshException)
        {
            // The connection is gone: the keeper looks for another.
        }
        finally
        {
            _sessions.TryRemove(new KeyValuePair<DeviceId, LinkSession>(device, session));
            if (puncher is not null)
            {
                _punchers.TryRemove(new KeyValuePair<DeviceId, Puncher>(device, puncher));
            }

            _directory.Seen(device);
            stream.Abort(0);
            Tell(device);
        }
    }

    private void TakePath(DeviceId device, MeshPathInfo path)
    {
        if (!path.IsRelayed)
        {
            _directory.Found(device, path.Remote);
        }

        PathChanged?.Invoke(device, path);
    }

    private async Task ListenAsync(DeviceId device, LinkSession session, Puncher? puncher, CancellationToken cancellationToken)
    {
        while (await session.ReadAsync(cancellationToken).ConfigureAwait(false) is { } frame)
        {
            session.HeardSomething();
            _directory.Seen(device);
            switch (frame.ContentCase)
            {
                case Frame.ContentOneofCase.Hello:
                    session.Life = frame.Hello.Life;
                    Keep(device).Linked();
                    _directory.Heard(device, LinkContent.Of(frame.Hello), AddressText.ParseAll(frame.Hello.Addresses, LocalAddresses.Most));
                    _directory.HeardRelayed(device, LinkContent.Of(frame.Hello.Relayed), [.. AddressText.ParseHosts(frame.Hello.Seen)]);
                    break;
                case Frame.ContentOneofCase.View:
                    session.View = LinkContent.Of(device, frame.View);
                    break;
                case Frame.ContentOneofCase.RegistryHeads:
                    session.Heard(LinkContent.Of(frame.RegistryHeads));
                    News.Tell();
                    continue;
                case Frame.ContentOneofCase.RegistryEntries:
                    _registry.Take(frame.RegistryEntries.Entries.Select(entry => entry.ToByteArray()));
                    continue;
                case Frame.ContentOneofCase.Whereabouts:
                    session.Hears = LinkContent.Of(frame.Whereabouts);
                    Sightings.Take(frame.Whereabouts);
                    continue;
                case Frame.ContentOneofCase.Load:
                    session.Load = LinkContent.Of(frame.Load);
                    continue;
                case Frame.ContentOneofCase.Punch:
                    puncher?.Take(frame.Punch);
                    continue;
                default:
                    // A newer peer may say more than this version understands.
                    continue;
            }

            Tell(device);
        }
    }

    private void Tell(DeviceId device)
    {
        Changed?.Invoke(device);
        News.Tell();
    }

    private void OnRegistryChanged()
    {
        PokeAll();
        KeepAll();
        News.Tell();
    }

    private void PokeAll()
    {
        foreach (LinkSession session in _sessions.Values)
        {
            session.Poke();
        }
    }
}
