using AgentMesh.Journal.Events;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>The database of a pool as one process uses it: what of a pool is decided here, and what is decided there.</summary>
internal interface IPoolDatabase : IAsyncDisposable
{
    /// <summary>Database and host in words, without anything secret.</summary>
    string Place { get; }

    IPoolLeases Leases { get; }

    IPoolReads Reads { get; }

    /// <summary>Who is, or lately was, a member, for those who look: not on the connections that leases need.</summary>
    Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation);

    /// <summary>For one writer, who disposes it.</summary>
    IPoolWrites OpenWrites();
}

/// <summary>Members and the shards that they own. Each call is one statement, decided by the clock of the database.</summary>
/// <remarks>Where the database cannot be asked, a call fails as <see cref="PostgresProblems.IsOne"/> has it, or with <c>AM0450</c>.</remarks>
internal interface IPoolLeases
{
    /// <summary>Creates what the members need, where it is missing.</summary>
    Task PrepareAsync(CancellationToken cancellation);

    /// <param name="before">The member that this one was before, which is forgotten; empty for none.</param>
    Task JoinAsync(string member, string before, CancellationToken cancellation);

    /// <returns>False when the lease had run out, or the member is gone: it is none any more.</returns>
    Task<bool> RenewAsync(string member, CancellationToken cancellation);

    Task LeaveAsync(string member, CancellationToken cancellation);

    Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation);

    /// <summary>Shards that members own whose lease runs.</summary>
    /// <param name="butOf">A member whose own ones are left out.</param>
    Task<IReadOnlySet<LeaseKey>> HeldAsync(string butOf, CancellationToken cancellation);

    /// <summary>Raises the epoch of the shard and makes the member its owner, unless another one is whose lease runs. Waits for writes to it that are under way.</summary>
    Task<ShardTaking> TakeAsync(LeaseKey key, string member, CancellationToken cancellation);

    /// <summary>What the member does not own stays as it is.</summary>
    Task ReleaseAsync(string member, IReadOnlyList<LeaseKey> keys, CancellationToken cancellation);

    /// <summary>Connections from before are not used any more.</summary>
    void ForgetConnections();
}

/// <summary>One transaction after the other.</summary>
internal interface IPoolWrites : IAsyncDisposable
{
    /// <summary>Stores all or none.</summary>
    /// <param name="committing">Called when all statements were answered, and before the commit is sent: what fails before it has stored nothing.</param>
    Task CommitAsync(IReadOnlyList<(PostgresOperation Operation, NpgsqlBatchCommand Statement)> writes, Action committing, CancellationToken cancellation);

    /// <summary>After a failure: the next transaction has a connection of its own.</summary>
    ValueTask ForgetConnectionAsync();
}

/// <summary>Recoveries and queries.</summary>
internal interface IPoolReads
{
    Task<long> HighestSequenceAsync(string persistenceId, CancellationToken cancellation);

    Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation);

    /// <summary>Replays one statement's view of the events and proves that no stored event of the range is missing.</summary>
    Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation);

    Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation);

    /// <param name="isRemoved">Of those that were removed instead.</param>
    Task<EntityPage> NewestFirstAsync(string prefix, bool isRemoved, long? before, int limit, CancellationToken cancellation);

    /// <param name="wanted">Which of them count; null for all.</param>
    Task<IReadOnlyList<EntitySummary>> WithOpenEndAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, Func<string, bool>? wanted, CancellationToken cancellation);
}

/// <param name="Epoch">The new one, where it was taken.</param>
/// <param name="Holder">Who has it, in words, where another one does.</param>
internal readonly record struct ShardTaking(ShardTakingStatus Status, long Epoch, string Holder);

/// <summary>As <c>agentmesh.take</c> has it.</summary>
internal enum ShardTakingStatus
{
    Taken = 0,
    HeldByAnother = 1,

    /// <summary>Who asked is no member, or its lease has run out.</summary>
    NoLease = 2,
}
