using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Peers;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>
/// The entities of the mesh. Every home has types of its own, hosted by the members with its role, so that no command between two devices waits
/// for a third: <c>job-HOME</c>, <c>cron-HOME</c>, <c>array-HOME</c>, <c>workflow-HOME</c>, <c>group-HOME</c> and, for devices, <c>peer-HOME</c>. A device has its own role
/// alone; the role of a pool belongs to all its members, and its shards are spread over them.
/// </summary>
public sealed class MeshSharding
{
    private static readonly TimeSpan PeerIdle = TimeSpan.FromMinutes(2);

    private readonly ActorSystem _system;
    private readonly ClusterSharding _sharding;
    private readonly MeshExtractor _extractor = new();
    private readonly ConcurrentDictionary<HomeId, IActorRef> _proxies = new();
    private readonly HomeTypes _own;

    private MeshSharding(ActorSystem system, JobEnvironment environment, Action<CronId, ICronEvent>? onCron)
    {
        _system = system;
        _sharding = ClusterSharding.Get(system);
        DeviceId self = environment.Self;
        _own = new HomeTypes(self, system, _extractor, environment, onCron, null);
        ClusterShardingSettings settings = ClusterShardingSettings.Create(system).WithRole(RoleOf(self));
        Peers = _own.Start(
            "peer",
            settings.WithPassivateIdleAfter(PeerIdle),
            id => PeerEntity.Create(PeerId.TryParse(id, out PeerId peer) && peer.Home == self ? peer : throw new InvariantException($"'{id}' belongs to another home"), environment.Time));
    }

    /// <summary>The jobs of this device.</summary>
    public IActorRef Jobs => _own.Jobs;

    /// <summary>The schedules of this device.</summary>
    public IActorRef Crons => _own.Crons;

    /// <summary>The arrays of jobs of this device.</summary>
    public IActorRef Arrays => _own.Arrays;

    /// <summary>The groups of jobs of this device.</summary>
    public IActorRef Groups => _own.Groups;

    /// <summary>The workflows of this device.</summary>
    public IActorRef Workflows => _own.Workflows;

    /// <summary>What this device remembers of others.</summary>
    public IActorRef Peers { get; }

    /// <summary>The pool that this device is a member of; null for none.</summary>
    public HomeTypes? Pool { get; private set; }

    public static string RoleOf(HomeId home) => "home-" + home;

    /// <summary>Starts the types of this home. The actor system must have its role.</summary>
    /// <param name="onCron">Is told what happened to schedules, when it is on disk.</param>
    public static MeshSharding Start(ActorSystem system, JobEnvironment environment, Action<CronId, ICronEvent>? onCron = null) => new(system, environment, onCron);

    /// <summary>Takes part in the types of a pool, once. The actor system must have its role.</summary>
    /// <param name="environment">With the journal of the pool.</param>
    /// <param name="placement">Without it the balance alone decides.</param>
    public HomeTypes StartPool(HomeId pool, JobEnvironment environment, ShardPlacement? placement = null)
    {
        Invariant.Check(pool.IsPool && Pool is null && environment.Journal is not null);
        return Pool = new HomeTypes(pool, _system, _extractor, environment, null, placement);
    }

    /// <summary>The way to the jobs of a home.</summary>
    public IActorRef JobsOf(HomeId home) => TypesOf(home)?.Jobs ?? _proxies.GetOrAdd(home, other => _sharding.StartProxy(TypeOf("job", other), RoleOf(other), _extractor));

    /// <summary>The types of a home that this device takes part in; null for another one's.</summary>
    public HomeTypes? TypesOf(HomeId home) => home == _own.Home ? _own : home == Pool?.Home ? Pool : null;

    internal static string TypeOf(string kind, HomeId home) => $"{kind}-{home}";
}
