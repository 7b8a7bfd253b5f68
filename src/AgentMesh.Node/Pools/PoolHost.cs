using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
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
        JobEnvironment ofPool = environment with
        {
            Journal = new HomeJournal(PostgresPersistence.JournalPluginId, PostgresPersistence.SnapshotStorePluginId, residents),
            IsHome = device => device == environment.Self || session.IsMember(device.ToString()),
        };
        HomeTypes types = sharding.StartPool(Home, ofPool, LeasedAllocation.Placement(session, settings.Lease));
        session.Lost += residents.StopAll;
        var revival = new PoolRevival(Home.ToString(), pool, session.HeldByOthersAsync);
        system.ActorOf(ShardWarden.Create(types, session, MeshSharding.RoleOf(Home), PoolRevivers.Start(system, types, revival, time), lease.Dispose), "pool-shard-warden");
    }
}
