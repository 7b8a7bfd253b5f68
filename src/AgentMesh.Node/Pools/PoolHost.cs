using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Hosting;
using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Node.Pools;

/// <summary>The part of this device in its pool: in each generation a membership, the regions, and those who wake what waits.</summary>
internal sealed class PoolHost(PostgresPool pool, PostgresSettings settings, string name, TimeProvider time)
{
    private readonly ConditionalWeakTable<ActorSystem, PostgresEventStore> _stores = [];

    public HomeId Home { get; } = HomeId.Pool(name);

    /// <summary>Without the prefix that it has in ids.</summary>
    public string Name => name;

    public PostgresPool Pool => pool;

    public PostgresSettings Settings => settings;

    public PoolSession? SessionOf(ActorSystem? system) => StoreOf(system)?.Session;

    /// <summary>What this device writes to the pool through; null while it takes no part in it.</summary>
    public PostgresEventStore? StoreOf(ActorSystem? system) => system is not null && _stores.TryGetValue(system, out PostgresEventStore? store) ? store : null;

    /// <summary>Why nothing can be accepted for the pool now; null where something can.</summary>
    public MeshException? ProblemOf(Generation? generation) => SessionOf(generation?.System) is { } session
        ? session.Problem
        : new MeshException(NodeErrors.NodeStarting, $"this device is still joining the pool '{name}'", "try again in a moment");

    public void Equip(Generation generation, MeshSharding sharding, JobEnvironment environment)
    {
        ActorSystem system = generation.System;
        StoreLease<PostgresEventStore> lease = pool.Acquire(system);
        PoolSession session = lease.Store.Session;
        _stores.AddOrUpdate(system, lease.Store);
        var residents = new HomeResidents();
        HomeTypes types = sharding.StartPool(Home, environment with
        {
            Journal = new HomeJournal(PostgresPersistence.JournalPluginId, PostgresPersistence.SnapshotStorePluginId, residents),
            IsHome = device => device == environment.Self || session.IsMember(device.ToString()),
        });
        session.Lost += residents.StopAll;
        IActorRef[] revivers =
        [
            Reviver(system, "jobs of the pool", "pool-job-reviver", types.Jobs, JobId.Prefix, JobManifests.AtRest, id => JobId.TryParse(id, out JobId job) ? new WakeJob(job) : null),
            Reviver(system, "schedules of the pool", "pool-cron-reviver", types.Crons, CronId.Prefix, CronManifests.Gone, id => CronId.TryParse(id, out CronId cron) ? new WakeCron(cron) : null),
            Reviver(system, "arrays of the pool", "pool-array-reviver", types.Arrays, ArrayId.Prefix, ArrayManifests.AtRest, id => ArrayId.TryParse(id, out ArrayId array) ? new WakeArray(array) : null),
            Reviver(system, "workflows of the pool", "pool-workflow-reviver", types.Workflows, WorkflowId.Prefix, WorkflowManifests.AtRest, id => WorkflowId.TryParse(id, out WorkflowId workflow) ? new WakeWorkflow(workflow) : null),
            Reviver(system, "groups of the pool", "pool-group-reviver", types.Groups, GroupId.Prefix, GroupManifests.Gone, id => GroupId.TryParse(id, out GroupId group) ? new GetGroup(group) : null),
        ];
        system.ActorOf(ShardWarden.Create(types, session, MeshSharding.RoleOf(Home), revivers, lease.Dispose), "pool-shard-warden");
    }

    private IActorRef Reviver(ActorSystem system, string kind, string name, IActorRef region, string prefix, IReadOnlySet<string> closedBy, Func<string, object?> wake) => system.ActorOf(
        EntityReviver.Create(
            kind,
            region,
            async (limit, cancel) => [.. (await pool.OpenAsync($"{prefix}{Home}/", closedBy, limit, cancel).ConfigureAwait(false)).Select(entity => entity.PersistenceId)],
            wake,
            EntityReviverSettings.Default,
            time),
        name);
}
