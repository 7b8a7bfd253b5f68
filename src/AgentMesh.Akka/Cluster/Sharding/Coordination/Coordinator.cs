using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>
/// Decides where the shards of one type live. A new coordinator first hears the regions (or waits for <c>waiting-for-state-timeout</c>), so
/// that no shard gets a second home while its first is alive.
/// </summary>
internal sealed class Coordinator : ReceiveActor, IWithTimers
{
    private readonly TuningParameters _tuning;
    private readonly IShardAllocationStrategy _strategy;
    private readonly OldestMember _members;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Allocations _allocations = new();
    private readonly HashSet<IActorRef> _proxies = [];
    private readonly HashSet<IActorRef> _leaving = [];
    private readonly HashSet<string> _unstarted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<IActorRef>> _undecided = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IActorRef> _handOffs = new(StringComparer.Ordinal);
    private bool _knowsMembers;
    private bool _ready;

    public Coordinator(string? role, TuningParameters tuning, IShardAllocationStrategy strategy)
    {
        _tuning = tuning;
        _strategy = strategy;
        _members = new OldestMember(role);
        Receive<ClusterEvent.CurrentClusterState>(state => OnMembers(() => _members.Reset(state)));
        Receive<ClusterEvent.IMemberEvent>(change => OnMembers(() => _members.Apply(change)));
        Receive<Register>(OnRegister);
        Receive<RegisterProxy>(OnRegisterProxy);
        Receive<GetShardHome>(question => OnGetShardHome(question.Shard, Sender));
        Receive<Allocated>(OnAllocated);
        Receive<ShardStarted>(started => _unstarted.Remove(started.Shard));
        Receive<LeaveRequest>(OnLeaveRequest);
        Receive<Tick>(OnTick);
        Receive<Chosen>(chosen => MoveAll(chosen.Shards));
        Receive<HandOffEnded>(OnHandOffEnded);
        Receive<Terminated>(OnTerminated);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.IMemberEvent));
        Timers.StartSingleTimer(Tick.Ready, Tick.Ready, _tuning.WaitingForStateTimeout);
        Timers.StartPeriodicTimer(Tick.Rebalance, Tick.Rebalance, _tuning.RebalanceInterval);
        Timers.StartPeriodicTimer(Tick.Restart, Tick.Restart, _tuning.ShardStartTimeout);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnMembers(Action apply)
    {
        apply();
        _knowsMembers = true;
        CheckReady();
    }

    private void OnRegister(Register register)
    {
        if (!_allocations.Knows(register.Region))
        {
            // The end of an earlier life of its system need not have been noticed; at one address there is one region.
            foreach (IActorRef earlier in _allocations.Regions.Keys.Where(region => AddressOf(region) == AddressOf(register.Region)).ToArray())
                Forget(earlier);
            Context.Watch(register.Region);
        }

        foreach (string foreign in _allocations.Report(register.Region, register.Shards))
        {
            _log.Warning("Shard [{0}] runs at {1} as well as at its home; stopping it there", foreign, register.Region);
            register.Region.Tell(new HandOff(foreign));
        }

        register.Region.Tell(new RegisterAck(Self));
        CheckReady();
    }

    private void OnRegisterProxy(RegisterProxy register)
    {
        if (_proxies.Add(register.Region))
            Context.Watch(register.Region);
        register.Region.Tell(new RegisterAck(Self));
    }

    /// <summary>Every member that could have shards has reported.</summary>
    private void CheckReady()
    {
        if (_ready || !_knowsMembers || _allocations.Regions.Count == 0)
            return;
        HashSet<Address> reported = [.. _allocations.Regions.Keys.Select(region => AddressOf(region))];
        if (_members.Hosts.All(member => reported.Contains(member.Address)))
            BecomeReady();
    }

    private void BecomeReady()
    {
        _ready = true;
        Timers.Cancel(Tick.Ready);
        foreach ((string shard, HashSet<IActorRef> askers) in _undecided.ToArray())
        {
            _undecided.Remove(shard);
            foreach (IActorRef asker in askers)
                OnGetShardHome(shard, asker);
        }
    }

    private void OnGetShardHome(string shard, IActorRef asker)
    {
        if (_allocations.HomeOf(shard) is { } home && !_handOffs.ContainsKey(shard))
        {
            asker.Tell(new ShardHome(shard, home));
            return;
        }

        bool first = !_undecided.TryGetValue(shard, out HashSet<IActorRef>? askers);
        if (first)
            _undecided.Add(shard, askers = []);
        askers!.Add(asker);
        if (first && _ready && !_handOffs.ContainsKey(shard))
            Allocate(shard, asker);
    }

    private void Allocate(string shard, IActorRef asker)
    {
        IImmutableDictionary<IActorRef, IImmutableList<string>> candidates = _allocations.Regions.RemoveRange(_leaving);
        if (candidates.Count == 0)
        {
            // The askers repeat their question; by then a region may have come.
            _undecided.Remove(shard);
            return;
        }

        // An answer at once counts at once: the next shard must be decided with this one in place.
        Task<IActorRef> choice = _strategy.AllocateShard(asker, shard, candidates);
        if (choice.IsCompletedSuccessfully)
            OnAllocated(new Allocated(shard, choice.Result));
        else
            _ = choice.PipeTo(Self, Self, region => new Allocated(shard, region), cause => new Allocated(shard, null, cause));
    }

    private void OnAllocated(Allocated allocated)
    {
        if (!_undecided.Remove(allocated.Shard, out HashSet<IActorRef>? askers))
            return;
        if (allocated.Region is not { } region || !_allocations.Knows(region) || _leaving.Contains(region))
        {
            _log.Warning("No home for shard [{0}] yet: {1}", allocated.Shard, allocated.Cause?.Message ?? "the chosen region is gone");
            return;
        }

        if (_allocations.HomeOf(allocated.Shard) is null)
        {
            _allocations.Allocate(allocated.Shard, region);
            _unstarted.Add(allocated.Shard);
            region.Tell(new HostShard(allocated.Shard));
        }

        foreach (IActorRef asker in askers)
            OnGetShardHome(allocated.Shard, asker);
    }

    private void OnLeaveRequest(LeaveRequest request)
    {
        if (!_allocations.Regions.TryGetValue(request.Region, out IImmutableList<string>? shards))
            return;
        _leaving.Add(request.Region);
        MoveAll(shards);
    }

    private void OnTick(Tick tick)
    {
        switch (tick)
        {
            case { } when ReferenceEquals(tick, Tick.Ready):
                if (!_ready)
                    BecomeReady();
                break;
            case { } when ReferenceEquals(tick, Tick.Restart):
                foreach (string shard in _unstarted.Where(shard => !_handOffs.ContainsKey(shard)))
                    _allocations.HomeOf(shard)?.Tell(new HostShard(shard));
                break;
            default:
                if (_ready && _allocations.Regions.Count > 0)
                {
                    _ = _strategy.Rebalance(_allocations.Regions.RemoveRange(_leaving), [.. _handOffs.Keys]).PipeTo(
                        Self, Self, shards => new Chosen(shards), _ => new Chosen(ImmutableHashSet<string>.Empty));
                }

                break;
        }
    }

    private void MoveAll(IEnumerable<string> shards)
    {
        // A set has no order that could be repeated.
        foreach (string shard in shards.Order(StringComparer.Ordinal))
        {
            if (_handOffs.ContainsKey(shard) || _allocations.HomeOf(shard) is not { } owner)
                continue;
            IActorRef[] others = [.. _allocations.Regions.Keys, .. _proxies];
            _handOffs[shard] = Context.ActorOf(Props.Create(() => new HandOffWorker(shard, owner, others, _tuning.HandOffTimeout)));
        }
    }

    private void OnHandOffEnded(HandOffEnded ended)
    {
        if (!_handOffs.Remove(ended.Shard))
            return;
        _unstarted.Remove(ended.Shard);
        if (ended.Success)
            _allocations.Deallocate(ended.Shard);
        if (!_undecided.Remove(ended.Shard, out HashSet<IActorRef>? askers))
            return;
        foreach (IActorRef asker in askers)
            OnGetShardHome(ended.Shard, asker);
    }

    private void OnTerminated(Terminated ended) => Forget(ended.ActorRef);

    private void Forget(IActorRef region)
    {
        _proxies.Remove(region);
        _leaving.Remove(region);
        foreach (string shard in _allocations.Remove(region))
            _unstarted.Remove(shard);
        foreach (IActorRef worker in _handOffs.Values)
            worker.Tell(new HandOffWorker.RegionGone(region));
    }

    private Address AddressOf(IActorRef region) => region.Path.Address.HasLocalScope ? _cluster.SelfAddress : region.Path.Address;

    internal sealed record HandOffEnded(string Shard, bool Success) : INoSerializationVerificationNeeded;

    private sealed record Allocated(string Shard, IActorRef? Region, Exception? Cause = null) : INoSerializationVerificationNeeded;

    private sealed record Chosen(IImmutableSet<string> Shards) : INoSerializationVerificationNeeded;

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Ready = new();
        public static readonly Tick Rebalance = new();
        public static readonly Tick Restart = new();
    }
}
