using AgentMesh.Errors;
using Akka.Configuration;

namespace AgentMesh.Journal;

/// <summary>
/// The Akka.Persistence journal of a pool. A recovery takes the shard of its entity before it reads, and waits while another member holds it; a write of
/// a member that has lost the shard fails, so the actor stops.
/// </summary>
public sealed class PostgresJournal : EventStoreJournal<PostgresEventStore>
{
    /// <param name="config">See <see cref="PostgresPersistence.Hocon"/>.</param>
    /// <exception cref="MeshException"><c>AM0454</c>: the pool is not open in this process.</exception>
    public PostgresJournal(Config config)
        : base(PostgresPersistence.Acquire(config, Context.System))
    {
    }

    /// <summary>The store gives each write the epoch of its shard.</summary>
    private protected override long WriteEpoch() => 0;

    private protected override string OvertakenBy(long epoch) => "another member of the pool has appended or taken the shard";
}
