using AgentMesh.Journal;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;

namespace AgentMesh.Node.Pools;

/// <summary>
/// Brings what the cluster decides and what the database holds together: gives shards back that were handed off to another member, and has the waiting
/// entities of the pool woken when this member hosts more shards than before, when shards have lost their owner, and when a member is gone.
/// </summary>
internal sealed class ShardWarden : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly HomeTypes _types;
    private readonly PoolSession _session;
    private readonly string _role;
    private readonly IReadOnlyDictionary<string, IActorRef> _revivers;
    private readonly Action _over;
    private IActorRef _self = ActorRefs.Nobody;
    private readonly Dictionary<string, HashSet<LeaseKey>> _hosted = [];

    /// <summary>Of each kind, as the last answer had it.</summary>
    private readonly Dictionary<string, HashSet<LeaseKey>> _before = [];

    /// <summary>Held, perhaps, but not hosted when it was looked at last.</summary>
    private HashSet<LeaseKey> _idle = [];

    private bool _wasLive;

    public ShardWarden(HomeTypes types, PoolSession session, string role, IReadOnlyDictionary<string, IActorRef> revivers, Action over)
    {
        _types = types;
        _session = session;
        _role = role;
        _revivers = revivers;
        _over = over;
        Receive<Look>(_ => Ask());
        Receive<Hosted>(OnHosted);
        Receive<Gone>(_ => WakeAll());
        Receive<Released>(released => Wake(released.Kinds));
        Receive<Status.Failure>(_ => { });
        Receive<ClusterEvent.CurrentClusterState>(_ => { });
        Receive<ClusterEvent.MemberRemoved>(removed => removed.Member.HasRole(_role), _ => WakeAll());
        Receive<ClusterEvent.MemberRemoved>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="over">Called when the actor system ends.</param>
    public static Props Create(HomeTypes types, PoolSession session, string role, IReadOnlyDictionary<string, IActorRef> revivers, Action over) =>
        Props.Create(() => new ShardWarden(types, session, role, revivers, over));

    protected override void PreStart()
    {
        _self = Self;
        _session.MemberGone += OnMemberGone;
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, typeof(ClusterEvent.MemberRemoved));
        Timers.StartPeriodicTimer(Look.Instance, Look.Instance, LookEvery);
    }

    protected override void PostStop()
    {
        _session.MemberGone -= OnMemberGone;
        _cluster.Unsubscribe(Self);
        _over();
    }

    // Not on an actor's thread. Whichever comes later, the decision of the cluster or the end of the lease, finds that the shards can be hosted and taken.
    private void OnMemberGone() => _self.Tell(Gone.Instance, ActorRefs.NoSender);

    private void WakeAll() => Wake(_revivers.Keys);

    private void Wake(IEnumerable<string> kinds)
    {
        foreach (string kind in kinds)
        {
            _revivers[kind].Tell(EntityReviver.LookNow.Instance);
        }
    }

    private void Ask()
    {
        bool isLive = _session.IsLive;
        if (isLive && !_wasLive)
        {
            // What stopped with the lease, or could not be looked for while there was none.
            WakeAll();
        }

        _wasLive = isLive;
        foreach ((string kind, IActorRef region) in _types.All)
        {
            string home = _types.Home.ToString();
            _ = region.Ask<ShardRegionStats>(GetShardRegionStats.Instance, LookEvery * 4)
                .PipeTo(Self, Self, stats => new Hosted(kind, [.. stats.Stats.Keys.Concat(stats.Failed).Select(shard => new LeaseKey(home, $"{kind}/{shard}"))]));
        }
    }

    /// <summary>Two looks: a shard may have been taken between the question to the region and its answer.</summary>
    private void OnHosted(Hosted hosted)
    {
        if (_wasLive && (!_before.TryGetValue(hosted.Kind, out HashSet<LeaseKey>? before) || !hosted.Keys.IsSubsetOf(before)))
        {
            Wake([hosted.Kind]);
        }

        _before[hosted.Kind] = hosted.Keys;
        _hosted[hosted.Kind] = hosted.Keys;
        if (_hosted.Count < _types.All.Count)
        {
            return;
        }

        HashSet<LeaseKey> idle = [.. _session.Claims.Where(key => !_hosted.Values.Any(keys => keys.Contains(key)))];
        // A set has no order that could be repeated.
        LeaseKey[] left = [.. idle.Where(_idle.Contains).OrderBy(key => key.Shard, StringComparer.Ordinal)];
        _idle = idle;
        _hosted.Clear();
        if (left.Length > 0)
        {
            // What could not be given back is held as before, and is found again.
            var released = new Released([.. left.Select(key => key.Shard[..key.Shard.IndexOf('/', StringComparison.Ordinal)]).Distinct().Where(_revivers.ContainsKey)]);
            _ = _session.ReleaseAsync(left).PipeTo(Self, Self, () => released);
        }
    }

    private sealed record Hosted(string Kind, HashSet<LeaseKey> Keys) : INoSerializationVerificationNeeded;

    private sealed record Released(IReadOnlyList<string> Kinds) : INoSerializationVerificationNeeded;

    private sealed class Gone : INoSerializationVerificationNeeded
    {
        public static readonly Gone Instance = new();
    }

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
