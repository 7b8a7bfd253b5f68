using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Arrays.Entity;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Entity;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Groups.Entity;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Doors;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Workflows.Entity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Simulation.Checks;

namespace Simulation.World;

/// <summary>Starts entities by their first message and lets them rest, as a shard does.</summary>
internal sealed class SimShard : ReceiveActor
{
    private readonly Dictionary<string, IActorRef> _entities = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(object Message, IActorRef Sender)>> _resting = new(StringComparer.Ordinal);

    /// <param name="watch">Is told who asks groups for turns.</param>
    public SimShard(JobEnvironment environment, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> devicesFor, long life, GroupWatch? watch)
    {
        IActorRef self = Self;
        IActorRef door = Context.ActorOf(DeviceDoors.Create(environment.LifeOf, environment.Time));
        JobEnvironment jobs = environment with { Jobs = () => self, Groups = () => self, Door = () => door };
        var arrays = new ArrayEnvironment(jobs.Self, Self, devicesFor, jobs.Time, jobs.RestAfter);
        var crons = new CronEnvironment(jobs.Self, life, Self, jobs.Time, jobs.RestAfter);
        Receive<Passivate>(passivate =>
        {
            if (_entities.FirstOrDefault(each => each.Value.Equals(Sender)).Key is { } id && _resting.TryAdd(id, []))
            {
                Sender.Tell(passivate.StopMessage);
            }
        });
        Receive<Terminated>(ended =>
        {
            string id = _entities.First(each => each.Value.Equals(ended.ActorRef)).Key;
            _entities.Remove(id);
            watch?.Forgot(id);
            _resting.Remove(id, out List<(object Message, IActorRef Sender)>? late);
            foreach ((object message, IActorRef sender) in late ?? [])
            {
                Self.Tell(message, sender);
            }
        });
        Receive<IJobMessage>(message => Deliver(message.JobId.ToString(), message, () => JobEntity.Create(message.JobId, jobs)));
        Receive<IArrayMessage>(message => Deliver(message.ArrayId.ToString(), message, () => ArrayEntity.Create(message.ArrayId, arrays)));
        var workflows = new WorkflowEnvironment(jobs.Self, Self, devicesFor, (_, _, _) => Task.FromResult<string?>(null), jobs.Time, jobs.RestAfter);
        Receive<IWorkflowMessage>(message => Deliver(message.WorkflowId.ToString(), message, () => WorkflowEntity.Create(message.WorkflowId, workflows)));
        var groups = new GroupEnvironment(jobs.Self, () => self, jobs.Time, jobs.RestAfter);
        Receive<IGroupMessage>(message =>
        {
            if (message is AskTurn ask)
            {
                watch?.Asked(ask);
            }

            Deliver(message.GroupId.ToString(), message, () => GroupEntity.Create(message.GroupId, groups));
        });
        Receive<ICronMessage>(message => Deliver(message.CronId.ToString(), message, () => CronEntity.Create(message.CronId, crons)));
    }

    private void Deliver(string id, object message, Func<Props> props)
    {
        if (_resting.TryGetValue(id, out List<(object Message, IActorRef Sender)>? late))
        {
            late.Add((message, Sender));
            return;
        }

        if (!_entities.TryGetValue(id, out IActorRef? entity))
        {
            _entities[id] = entity = Context.Watch(Context.ActorOf(props()));
        }

        entity.Forward(message);
    }
}
