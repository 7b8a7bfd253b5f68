using AgentMesh.Errors;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>The Akka.Persistence snapshot store of a pool; fenced as its journal is.</summary>
public sealed class PostgresSnapshotStore : EventStoreSnapshots<PostgresEventStore>
{
    /// <param name="config">See <see cref="PostgresPersistence.Hocon"/>.</param>
    /// <exception cref="MeshException"><c>AM0454</c>: the pool is not open in this process.</exception>
    public PostgresSnapshotStore(Config config)
        : base(PostgresPersistence.Acquire(config, Context.System))
    {
    }
}
