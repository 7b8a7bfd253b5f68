using AgentMesh.Errors;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>The Akka.Persistence journal on a <see cref="SqliteEventStore"/>.</summary>
public sealed class SqliteJournal : EventStoreJournal<SqliteEventStore>
{
    private long? _epoch;

    /// <param name="config">See <see cref="SqlitePersistence.Hocon"/>.</param>
    /// <exception cref="MeshException">As <see cref="SqliteEventStore.Open"/>.</exception>
    public SqliteJournal(Config config)
        : base(EventStoreRegistry.Acquire(SqlitePersistence.Read(config), TimeProvider.System))
    {
        try
        {
            BeginEpoch();
        }
        catch (MeshException)
        {
            // A full or slow disk. Recoveries need none, and the first write tries again.
        }
    }

    private protected override long WriteEpoch() => _epoch ?? BeginEpoch();

    private protected override string OvertakenBy(long epoch) => $"another writer than this one (epoch {epoch}) has appended";

    /// <summary>
    /// Each start of the journal is a new writer: what an earlier actor system still has on its way cannot follow our writes. Waited for on the journal's
    /// own thread: writes that had to wait for it each by itself could overtake one another.
    /// </summary>
    private long BeginEpoch()
    {
        long epoch = Store.BeginEpochAsync().GetAwaiter().GetResult();
        _epoch = epoch;
        return epoch;
    }
}
