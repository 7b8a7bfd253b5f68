using AgentMesh.Errors;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>The Akka.Persistence snapshot store on a <see cref="SqliteEventStore"/>.</summary>
public sealed class SqliteSnapshotStore : EventStoreSnapshots<SqliteEventStore>
{
    /// <param name="config">See <see cref="SqlitePersistence.Hocon"/>.</param>
    /// <exception cref="MeshException">As <see cref="SqliteEventStore.Open"/>.</exception>
    public SqliteSnapshotStore(Config config)
        : base(EventStoreRegistry.Acquire(SqlitePersistence.Read(config), TimeProvider.System))
    {
    }
}
