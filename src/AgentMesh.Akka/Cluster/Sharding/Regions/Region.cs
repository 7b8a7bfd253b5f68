using Akka.Actor;
using Akka.Cluster.Sharding.Coordination;
using Akka.Event;

namespace Akka.Cluster.Sharding.Regions;

/// <summary>What a region is made with.</summary>
/// <param name="EntityProps">Null for a proxy: it has no shards of its own.</param>
internal sealed record RegionSettings(
    string TypeName, string? Role, string CoordinatorPath, IMessageExtractor Extractor, Func<string, Props>? EntityProps, object StopMessage, TimeSpan PassivateIdleAfter, TuningParameters Tuning, TimeSpan RetryMin, TimeSpan ReportInterval, TimeSpan QueryTimeout);

/// <summary>
/// The door to the entities of one type: whoever sends to an entity sends here. Knows where shards live, asks the coordinator when it does
/// not, and holds messages meanwhile. Order is kept per sender and entity, across hand-offs too; across the loss of a member it is not.
/// </summary>
internal sealed class Region : ReceiveActor, IWithTimers
{
    /// <summary>How long a region that leaves waits for new homes of the messages it holds.</summary>
    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(1);

    private readonly RegionSettings _settings;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly OldestMember _oldest;
    private readonly Dictionary<string, IActorRef> _homes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IActorRef> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IActorRef> _formerHomes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<IActorRef>> _handOffs = new(StringComparer.Ordinal);

    /// <summary>Shards elsewhere to which something was sent since the last report.</summary>
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly MessageBuffers _waiting;
    private IActorRef? _coordinator;
    private UniqueAddress? _coordinatorHost;
    private TimeSpan _retry;
    private bool _leaving;

    public Region(RegionSettings settings)
    {
        _settings = settings;
        _oldest = new OldestMember(settings.Role);
        _waiting = new MessageBuffers(settings.Tuning.BufferSize);
        _retry = settings.RetryMin;
        Receive<ClusterEvent.CurrentClusterState>(state => OnMembers(() => _oldest.Reset(state)));
        Receive<ClusterEvent.IMemberEvent>(change => OnMembers(() => _oldest.Apply(change)));
        Receive<RegisterAck>(OnRegisterAck);
        Receive<ShardHome>(OnShardHome, _ => IsFromCoordinator());
        Receive<HostShard>(OnHostShard, _ => IsFromCoordinator());
        Receive<ShardHome>(_ => { });
        Receive<HostShard>(_ => { });
        Receive<BeginHandOff>(OnBeginHandOff);
        Receive<LastOfShard>(last => last.Worker.Tell(new LastOfShardArrived(last.Shard, Sender)));
        Receive<HandOff>(OnHandOff);
        Receive<Shard.Returned>(back => _waiting.Prepend(back.Shard, back.Messages));
        Receive<Retry>(_ => OnRetry());
        Receive<ReportAgain>(_ => OnReportAgain());
        Receive<Terminated>(OnTerminated);
        Receive<GracefulShutdown>(_ => OnGracefulShutdown());
        Receive<LeaveAnyway>(_ => Context.Stop(Self));
        Receive<GetShardRegionState>(_ => OnGetState());
        Receive<GetShardRegionStats>(_ => OnGetStats());
        ReceiveAny(Deliver);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IMemberEvent));
        if (_settings.EntityProps is not null)
            ReportLater();
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        foreach ((object message, IActorRef sender) in _waiting.Keys.ToArray().SelectMany(_waiting.Take))
            Context.System.DeadLetters.Tell(new DeadLetter(message, sender, Self), sender);
    }

    /// <summary>A failed region must not lose what it knows of its shards: nothing it does is worth a restart.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Restart);

    private void OnMembers(Action apply)
    {
        apply();
        UniqueAddress? host = _oldest.Current?.UniqueAddress;
        if (Equals(host, _coordinatorHost))
            return;
        _coordinatorHost = host;
        LoseCoordinator();
    }

    private void LoseCoordinator()
    {
        if (_coordinator is not null)
            Context.Unwatch(_coordinator);
        _coordinator = null;
        _retry = _settings.RetryMin;
        OnRetry();
    }

    /// <summary>Asks again for whatever is missing; the waits grow while nothing answers.</summary>
    private void OnRetry()
    {
        if (_coordinator is null)
        {
            SendRegistration();
        }
        else
        {
            foreach (string shard in _waiting.Keys)
                _coordinator.Tell(new GetShardHome(shard));
            if (_leaving)
                _coordinator.Tell(new LeaveRequest(Self));
        }

        if (_coordinator is not null && _waiting.Count == 0 && !_leaving)
            return;
        Timers.StartSingleTimer(Retry.Instance, Retry.Instance, _retry);
        TimeSpan longer = _retry + _retry;
        _retry = longer < _settings.Tuning.RetryInterval ? longer : _settings.Tuning.RetryInterval;
    }

    private void SendRegistration()
    {
        if (_oldest.Current is not { } host)
            return;
        ActorSelection coordinator = Context.ActorSelection(new RootActorPath(host.Address) + _settings.CoordinatorPath);
        object registration = _settings.EntityProps is null ? new RegisterProxy(Self) : new Register(Self, [.. _shards.Keys]);
        coordinator.Tell(registration, Self);
    }

    /// <summary>
    /// A coordinator that did not hear a region for a while has given its shards to others, and the region need not have noticed: it says what it has again and again, and is told
    /// what is not its own any more. Nor need it have noticed that a home, or the coordinator itself, is one no more: so it asks whoever is the coordinator now where the shards
    /// live that it has sent to since. Who sends nothing asks for nothing.
    /// </summary>
    private void ReportLater()
    {
        if (!Timers.IsTimerActive(ReportAgain.Instance))
            Timers.StartSingleTimer(ReportAgain.Instance, ReportAgain.Instance, _settings.ReportInterval);
    }

    private void OnReportAgain()
    {
        if (_coordinator is not null && !_leaving)
        {
            SendRegistration();
            foreach (string shard in _used.Order(StringComparer.Ordinal))
                _coordinator.Tell(new GetShardHome(shard));
        }

        _used.Clear();
        if (_settings.EntityProps is not null || _waiting.Count > 0)
            ReportLater();
    }

    private void OnRegisterAck(RegisterAck ack)
    {
        // The answer of one before may come late, and another one be the coordinator by now.
        if (ack.Coordinator.Equals(_coordinator) || !IsAtHost(ack.Coordinator))
            return;
        if (_coordinator is not null)
            Context.Unwatch(_coordinator);
        _coordinator = Context.Watch(ack.Coordinator);
        _retry = _settings.RetryMin;
        OnRetry();
    }

    /// <summary>
    /// The word of one that was the coordinator before comes late: what it gives away is not in what this region has told its successor, which gives it to another.
    /// What the present one has said is asked for, or said, again.
    /// </summary>
    private bool IsFromCoordinator() => Sender.Equals(_coordinator);

    private bool IsAtHost(IActorRef coordinator) =>
        _oldest.Current is { } host && (coordinator.Path.Address.HasLocalScope ? _cluster.SelfAddress : coordinator.Path.Address) == host.Address;

    private void Deliver(object message)
    {
        string? shard = message is ShardingEnvelope envelope && _settings.Extractor.EntityId(message) is null
            ? _settings.Extractor.ShardId(envelope.EntityId, envelope)
            : _settings.Extractor.EntityId(message) is { Length: > 0 } ? _settings.Extractor.ShardId(message) : null;
        if (string.IsNullOrEmpty(shard))
        {
            _log.Warning("A message of type [{0}] is for no entity of [{1}]", message.GetType().Name, _settings.TypeName);
            Unhandled(message);
            return;
        }

        if (_homes.TryGetValue(shard, out IActorRef? home) && !_waiting.Holds(shard) && !_handOffs.ContainsKey(shard))
        {
            Route(shard, home, message, Sender);
            return;
        }

        bool first = !_waiting.Holds(shard);
        if (!_waiting.Add(shard, message, Sender))
        {
            Context.System.EventStream.Publish(new Dropped(message, $"the buffer of shard region [{_settings.TypeName}] is full", Sender, Self));
            return;
        }

        if (first)
            AskHome(shard);
    }

    private void AskHome(string shard)
    {
        _coordinator?.Tell(new GetShardHome(shard));
        ReportLater();
        if (Timers.IsTimerActive(Retry.Instance))
            return;
        _retry = _settings.RetryMin;
        Timers.StartSingleTimer(Retry.Instance, Retry.Instance, _retry);
    }

    private void Route(string shard, IActorRef home, object message, IActorRef sender)
    {
        if (home.Equals(Self))
        {
            LocalShard(shard).Tell(message, sender);
            return;
        }

        home.Tell(message, sender);
        if (_used.Add(shard))
            ReportLater();
    }

    private void OnShardHome(ShardHome answer)
    {
        // A home that moves without a hand-off: its old one is gone.
        _homes[answer.Shard] = answer.Region;
        _formerHomes.Remove(answer.Shard);
        if (answer.Region.Equals(Self))
            LocalShard(answer.Shard);
        else
            Context.Watch(answer.Region);
        RouteWaiting(answer.Shard);
    }

    /// <summary>While the shard still stops here, everything waits for its end, whatever home it has by now.</summary>
    private void RouteWaiting(string shard)
    {
        if (_handOffs.ContainsKey(shard) || !_homes.TryGetValue(shard, out IActorRef? home))
            return;
        foreach ((object message, IActorRef sender) in _waiting.Take(shard))
            Route(shard, home, message, sender);
        if (_leaving && _shards.Count == 0)
            Leave();
    }

    private void OnHostShard(HostShard order)
    {
        if (_settings.EntityProps is null || _leaving)
            return;
        LocalShard(order.Shard);
        Sender.Tell(new ShardStarted(order.Shard));
        OnShardHome(new ShardHome(order.Shard, Self));
    }

    private IActorRef LocalShard(string shard)
    {
        if (_shards.TryGetValue(shard, out IActorRef? running))
            return running;
        Func<string, Props> entities = _settings.EntityProps ?? throw new InvalidOperationException($"The proxy of [{_settings.TypeName}] was made the home of shard [{shard}]");
        IActorRef made = Context.ActorOf(Props.Create(() => new Shard(shard, _settings, entities)), Uri.EscapeDataString(shard));
        _shards[shard] = Context.Watch(made);
        return made;
    }

    private void OnBeginHandOff(BeginHandOff order)
    {
        // The owner goes on until the second step: what others have sent it before is still to come.
        bool owner = _homes.TryGetValue(order.Shard, out IActorRef? home) && home.Equals(Self);
        if (!owner && _homes.Remove(order.Shard) && home is not null)
            _formerHomes[order.Shard] = home;

        // One that is the home no more gets nothing for the shard that it would not pass on, and may be gone without this region having heard of it.
        if (_formerHomes.TryGetValue(order.Shard, out IActorRef? former) && (order.Home is null || former.Equals(order.Home)))
            former.Tell(new LastOfShard(order.Shard, Sender));
        else
            Sender.Tell(new BeginHandOffAck(order.Shard));
    }

    private void OnHandOff(HandOff order)
    {
        _homes.Remove(order.Shard);
        if (!_shards.TryGetValue(order.Shard, out IActorRef? shard))
        {
            Sender.Tell(new ShardStopped(order.Shard));
            return;
        }

        if (!_handOffs.TryGetValue(order.Shard, out List<IActorRef>? askers))
            _handOffs.Add(order.Shard, askers = []);
        if (!askers.Contains(Sender))
            askers.Add(Sender);
        shard.Tell(Shard.StopAll.Instance);
    }

    private void OnTerminated(Terminated ended)
    {
        if (ended.ActorRef.Equals(_coordinator))
        {
            _coordinator = null;
            _retry = _settings.RetryMin;
            OnRetry();
            return;
        }

        foreach ((string shard, IActorRef home) in _homes.Where(each => each.Value.Equals(ended.ActorRef)).ToArray())
            _homes.Remove(shard);
        foreach ((string shard, IActorRef home) in _formerHomes.Where(each => each.Value.Equals(ended.ActorRef)).ToArray())
            _formerHomes.Remove(shard);
        string? own = _shards.FirstOrDefault(each => each.Value.Equals(ended.ActorRef)).Key;
        if (own is null)
            return;
        _shards.Remove(own);
        if (_handOffs.Remove(own, out List<IActorRef>? askers))
        {
            foreach (IActorRef asker in askers)
                asker.Tell(new ShardStopped(own));
            RouteWaiting(own);
            if (_waiting.Holds(own))
                AskHome(own);
        }

        if (_leaving && _shards.Count == 0)
            Leave();
    }

    private void OnGracefulShutdown()
    {
        _leaving = true;
        if (_shards.Count == 0)
        {
            Leave();
            return;
        }

        _retry = _settings.RetryMin;
        OnRetry();
    }

    /// <summary>What was held during the hand-offs still goes to the new homes, if there are any before long.</summary>
    private void Leave()
    {
        if (_waiting.Count == 0)
            Context.Stop(Self);
        else if (!Timers.IsTimerActive(LeaveAnyway.Instance))
            Timers.StartSingleTimer(LeaveAnyway.Instance, LeaveAnyway.Instance, LastWait);
    }

    private void OnGetState()
    {
        IActorRef asker = Sender;
        Task<CurrentShardRegionState> collected = ShardQueries.StateAsync([.. _shards], _settings.QueryTimeout);
        _ = collected.PipeTo(asker, Self);
    }

    private void OnGetStats()
    {
        IActorRef asker = Sender;
        Task<ShardRegionStats> counted = ShardQueries.CountAsync([.. _shards], _settings.QueryTimeout);
        _ = counted.PipeTo(asker, Self);
    }

    private sealed class ReportAgain
    {
        public static readonly ReportAgain Instance = new();
    }

    private sealed class LeaveAnyway
    {
        public static readonly LeaveAnyway Instance = new();
    }

    private sealed class Retry
    {
        public static readonly Retry Instance = new();
    }
}
