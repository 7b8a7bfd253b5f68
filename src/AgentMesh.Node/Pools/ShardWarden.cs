using AgentMesh.Journal;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;

namespace AgentMesh.Node.Pools;

/// <summary>
/// Brings what the cluster decides and what the database holds together: gives shards back that were handed off to another member, and has the waiting
/// entities of the pool woken when a member is gone.
/// </summary>
internal sealed class ShardWarden : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly HomeTypes _types;
    private readonly PoolSession _session;
    private readonly string _role;
    private readonly IReadOnlyList<IActorRef> _revivers;
    private readonly Action _over;
    private IActorRef _self = ActorRefs.Nobody;
    private readonly Dictionary<string, HashSet<LeaseKey>> _hosted = [];

    /// <summary>Held but not hosted when it was looked at last.</summary>
    private HashSet<LeaseKey> _idle = [];

    public ShardWarden(HomeTypes types, PoolSession session, string role, IReadOnlyList<IActorRef> revivers, Action over)
    {
        _types = types;
        _session = session;
        _role = role;
        _revivers = revivers;
        _over = over;
        Receive<Look>(_ => Ask());
        Receive<Hosted>(OnHosted);
        Receive<Gone>(_ => WakeAll());
        Receive<Status.Failure>(_ => { });
        Receive<ClusterEvent.CurrentClusterState>(_ => { });
        Receive<ClusterEvent.MemberRemoved>(removed => removed.Member.HasRole(_role), _ => WakeAll());
        Receive<ClusterEvent.MemberRemoved>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="over">Called when the actor system ends.</param>
    public static Props Create(HomeTypes types, PoolSession session, string role, IReadOnlyList<IActorRef> revivers, Action over) =>
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

    private void WakeAll()
    {
        foreach (IActorRef reviver in _revivers)
        {
            reviver.Tell(EntityReviver.LookNow.Instance);
        }
    }

    private void Ask()
    {
        if (_session.Holdings.Count == 0)
        {
            return;
        }

        foreach ((string kind, IActorRef region) in _types.All)
        {
            string home = _types.Home.ToString();
            _ = region.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, LookEvery * 4)
                .PipeTo(Self, Self, state => new Hosted(kind, [.. state.Shards.Select(shard => new LeaseKey(home, $"{kind}/{shard.ShardId}"))]));
        }
    }

    /// <summary>Two looks: a shard may have been taken between the question to the region and its answer.</summary>
    private void OnHosted(Hosted hosted)
    {
        _hosted[hosted.Kind] = hosted.Keys;
        if (_hosted.Count < _types.All.Count)
        {
            return;
        }

        HashSet<LeaseKey> idle = [.. _session.Holdings.Keys.Where(key => !_hosted.Values.Any(keys => keys.Contains(key)))];
        LeaseKey[] left = [.. idle.Where(_idle.Contains)];
        _idle = idle;
        _hosted.Clear();
        if (left.Length > 0)
        {
            // What could not be given back is held as before, and is found again.
            _ = _session.ReleaseAsync(left).PipeTo(Self, Self, static () => Look.Nothing);
        }
    }

    private sealed record Hosted(string Kind, HashSet<LeaseKey> Keys) : INoSerializationVerificationNeeded;

    private sealed class Gone : INoSerializationVerificationNeeded
    {
        public static readonly Gone Instance = new();
    }

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();

        /// <summary>Nobody looks at it.</summary>
        public static readonly object Nothing = new Status.Success(null!);
    }
}
