using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using Akka.Actor;

namespace AgentMesh.Node.Pools;

/// <summary>Those who wake what waits in a pool, one for each kind of entity.</summary>
internal static class PoolRevivers
{
    /// <returns>By kind, as ids begin with it.</returns>
    public static IReadOnlyDictionary<string, IActorRef> Start(ActorSystem system, HomeTypes types, PoolRevival revival, TimeProvider time)
    {
        return new Dictionary<string, IActorRef>(StringComparer.Ordinal)
        {
            ["job"] = Reviver("jobs", "job", types.Jobs, JobManifests.AtRest, id => JobId.TryParse(id, out JobId job) ? new WakeJob(job) : null),
            ["cron"] = Reviver("schedules", "cron", types.Crons, CronManifests.Gone, id => CronId.TryParse(id, out CronId cron) ? new WakeCron(cron) : null),
            ["array"] = Reviver("arrays", "array", types.Arrays, ArrayManifests.AtRest, id => ArrayId.TryParse(id, out ArrayId array) ? new WakeArray(array) : null),
            ["workflow"] = Reviver("workflows", "workflow", types.Workflows, WorkflowManifests.AtRest, id => WorkflowId.TryParse(id, out WorkflowId workflow) ? new WakeWorkflow(workflow) : null),
            ["group"] = Reviver("groups", "group", types.Groups, GroupManifests.Gone, id => GroupId.TryParse(id, out GroupId group) ? new GetGroup(group) : null),
        };

        IActorRef Reviver(string kinds, string kind, IActorRef region, IReadOnlySet<string> closedBy, Func<string, object?> wake) => system.ActorOf(
            EntityReviver.Create($"{kinds} of the pool", region, revival.Of(kind, region, closedBy, id => wake(id) is not null), wake, EntityReviverSettings.Default, time), $"pool-{kind}-reviver");
    }
}
