using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Arrays.Entity;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Entity;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Groups.Entity;
using AgentMesh.Mesh.Jobs.Doors;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.Entity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;

namespace AgentMesh.Mesh.Sharding;

/// <summary>The regions of one home that this device takes part in: its own, or those of its pool.</summary>
public sealed class HomeTypes
{
    private readonly ClusterSharding _sharding;
    private readonly MeshExtractor _extractor;
    private readonly Func<IShardAllocationStrategy, IShardAllocationStrategy> _placed;

    internal HomeTypes(
        HomeId home, ActorSystem system, MeshExtractor extractor, JobEnvironment environment, Action<CronId, ICronEvent>? onCron, ShardPlacement? placement)
    {
        Home = home;
        _sharding = ClusterSharding.Get(system);
        _extractor = extractor;
        _placed = placement?.Strategy ?? (static balance => balance);
        ClusterShardingSettings settings = SettingsOf(system, placement).WithRole(MeshSharding.RoleOf(home));

        // These decide themselves when they rest: one that waits must not be put away.
        ClusterShardingSettings waiting = settings.WithPassivateIdleAfter(TimeSpan.Zero);
        IActorRef door = system.ActorOf(DeviceDoors.Create(environment.LifeOf, environment.Time));
        environment = environment with { Jobs = () => Jobs!, Groups = () => Groups!, Door = () => door };
        Jobs = Start("job", waiting, id => JobEntity.Create(JobId.TryParse(id, out JobId job) && job.Home == home ? job : throw Stranger(id), environment));
        var cron = new CronEnvironment(environment.Self, environment.LifeOf(environment.Self) ?? 0, Jobs, environment.Time, environment.RestAfter)
        {
            Choose = environment.ChooseForCron,
            Happened = onCron ?? (static (_, _) => { }),
            Journal = environment.Journal,
            IsHome = environment.IsHome,
            Deliver = environment.Deliver,
        };
        Crons = Start("cron", waiting, id => CronEntity.Create(CronId.TryParse(id, out CronId schedule) && schedule.Home == home ? schedule : throw Stranger(id), cron));
        var array = new ArrayEnvironment(environment.Self, Jobs, environment.DevicesFor, environment.Time, environment.RestAfter) { Journal = environment.Journal, IsHome = environment.IsHome, Deliver = environment.Deliver };
        Arrays = Start("array", waiting, id => ArrayEntity.Create(ArrayId.TryParse(id, out ArrayId known) && known.Home == home ? known : throw Stranger(id), array));
        var workflow = new WorkflowEnvironment(environment.Self, Jobs, environment.DevicesFor, environment.ReadOutput, environment.Time, environment.RestAfter) { Journal = environment.Journal, IsHome = environment.IsHome, Deliver = environment.Deliver };
        Workflows = Start("workflow", waiting, id => WorkflowEntity.Create(WorkflowId.TryParse(id, out WorkflowId known) && known.Home == home ? known : throw Stranger(id), workflow));
        var group = new GroupEnvironment(environment.Self, () => Jobs, environment.Time, environment.RestAfter) { Journal = environment.Journal, IsHome = environment.IsHome };
        Groups = Start("group", waiting, id => GroupEntity.Create(GroupId.TryParse(id, out GroupId known) && known.Home == home ? known : throw Stranger(id), group));
    }

    public HomeId Home { get; }

    public IActorRef Jobs { get; }

    public IActorRef Crons { get; }

    public IActorRef Arrays { get; }

    public IActorRef Workflows { get; }

    public IActorRef Groups { get; }

    /// <summary>Each region with the kind of its entities, as the first part of their ids has it.</summary>
    public IReadOnlyList<(string Kind, IActorRef Region)> All => [("job", Jobs), ("cron", Crons), ("array", Arrays), ("workflow", Workflows), ("group", Groups)];

    /// <summary>Hosts a further type here.</summary>
    internal IActorRef Start(string kind, ClusterShardingSettings settings, Func<string, Props> props) =>
        _sharding.Start(MeshSharding.TypeOf(kind, Home), props, settings, _extractor, _placed(_sharding.DefaultShardAllocationStrategy(settings)), PoisonPill.Instance);

    private static ClusterShardingSettings SettingsOf(ActorSystem system, ShardPlacement? placement)
    {
        if (placement is null)
        {
            return ClusterShardingSettings.Create(system);
        }

        Config config = ConfigurationFactory.ParseString(string.Create(CultureInfo.InvariantCulture, $"rebalance-interval = {placement.LookEvery.TotalMilliseconds:0} ms"))
            .WithFallback(system.Settings.Config.GetConfig("akka.cluster.sharding"));
        return ClusterShardingSettings.Create(config, config.GetConfig("coordinator-singleton"));
    }

    private static InvariantException Stranger(string id) => new($"'{id}' belongs to another home");
}
