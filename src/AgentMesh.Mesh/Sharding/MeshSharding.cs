using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Arrays.Entity;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Entity;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.Entity;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>
/// The entities of the mesh. Every home has types of its own, hosted by the members with its role, so that no command between two devices waits
/// for a third: <c>job-HOME</c>, <c>cron-HOME</c>, <c>array-HOME</c>, <c>workflow-HOME</c> and <c>peer-HOME</c>.
/// </summary>
public sealed class MeshSharding
{
    private static readonly TimeSpan PeerIdle = TimeSpan.FromMinutes(2);

    private readonly ClusterSharding _sharding;
    private readonly DeviceId _self;
    private readonly MeshExtractor _extractor = new();
    private readonly ConcurrentDictionary<DeviceId, IActorRef> _proxies = new();

    private MeshSharding(ActorSystem system, JobEnvironment environment, Action<CronId, ICronEvent>? onCron)
    {
        _sharding = ClusterSharding.Get(system);
        _self = environment.Self;
        ClusterShardingSettings settings = ClusterShardingSettings.Create(system).WithRole(RoleOf(_self));

        environment = environment with { Jobs = () => Jobs! };

        // A job decides itself when it rests: one that waits must not be put away.
        Jobs = Start("job", settings.WithPassivateIdleAfter(TimeSpan.Zero), id => JobEntity.Create(JobId.TryParse(id, out JobId job) ? job : throw new InvariantException($"'{id}' is no job id"), environment));
        var cron = new CronEnvironment(_self, environment.LifeOf(_self) ?? 0, Jobs, environment.Time, environment.RestAfter) { Happened = onCron ?? (static (_, _) => { }) };
        Crons = Start("cron", settings.WithPassivateIdleAfter(TimeSpan.Zero), id => CronEntity.Create(CronId.TryParse(id, out CronId schedule) ? schedule : throw new InvariantException($"'{id}' is no schedule id"), cron));
        var array = new ArrayEnvironment(_self, Jobs, environment.DevicesFor, environment.Time, environment.RestAfter);
        Arrays = Start("array", settings.WithPassivateIdleAfter(TimeSpan.Zero), id => ArrayEntity.Create(ArrayId.TryParse(id, out ArrayId known) ? known : throw new InvariantException($"'{id}' is no array id"), array));
        var workflow = new WorkflowEnvironment(_self, Jobs, environment.DevicesFor, environment.ReadOutput, environment.Time, environment.RestAfter);
        Workflows = Start("workflow", settings.WithPassivateIdleAfter(TimeSpan.Zero), id => WorkflowEntity.Create(WorkflowId.TryParse(id, out WorkflowId known) ? known : throw new InvariantException($"'{id}' is no workflow id"), workflow));
        Peers = Start("peer", settings.WithPassivateIdleAfter(PeerIdle), id => PeerEntity.Create(PeerId.TryParse(id, out PeerId peer) ? peer : throw new InvariantException($"'{id}' is no peer id"), environment.Time));
    }

    /// <summary>The jobs of this device.</summary>
    public IActorRef Jobs { get; }

    /// <summary>The schedules of this device.</summary>
    public IActorRef Crons { get; }

    /// <summary>The arrays of jobs of this device.</summary>
    public IActorRef Arrays { get; }

    /// <summary>The workflows of this device.</summary>
    public IActorRef Workflows { get; }

    /// <summary>What this device remembers of others.</summary>
    public IActorRef Peers { get; }

    public static string RoleOf(DeviceId home) => "home-" + home;

    /// <summary>Starts the types of this home. The actor system must have its role.</summary>
    /// <param name="onCron">Is told what happened to schedules, when it is on disk.</param>
    public static MeshSharding Start(ActorSystem system, JobEnvironment environment, Action<CronId, ICronEvent>? onCron = null) => new(system, environment, onCron);

    /// <summary>The way to the jobs of a home.</summary>
    public IActorRef JobsOf(DeviceId home) => home == _self
        ? Jobs
        : _proxies.GetOrAdd(home, device => _sharding.StartProxy(TypeOf("job", device), RoleOf(device), _extractor));

    private static string TypeOf(string kind, DeviceId home) => $"{kind}-{home}";

    private IActorRef Start(string kind, ClusterShardingSettings settings, Func<string, Props> props) => _sharding.Start(
        TypeOf(kind, _self),
        id => BelongsHere(id) ? props(id) : throw new InvariantException($"'{id}' belongs to another home"),
        settings,
        _extractor,
        _sharding.DefaultShardAllocationStrategy(settings),
        PoisonPill.Instance);

    private bool BelongsHere(string id) =>
        (JobId.TryParse(id, out JobId job) && job.Home == _self) || (CronId.TryParse(id, out CronId cron) && cron.Home == _self)
        || (ArrayId.TryParse(id, out ArrayId array) && array.Home == _self) || (WorkflowId.TryParse(id, out WorkflowId workflow) && workflow.Home == _self) || (PeerId.TryParse(id, out PeerId peer) && peer.Home == _self);
}
