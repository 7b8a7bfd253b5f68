using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using AgentMesh.Journal.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace AgentMesh.Journal;

/// <summary>
/// Events, snapshots and the entity index of a pool, as one member sees them. A task that ends well means: committed. One that fails with a code other
/// than <c>AM0406</c> or <c>AM0408</c> means: nothing was stored; with these two, only the next recovery knows.
/// </summary>
/// <remarks>Thread-safe. Everything about one entity is done as the owner of its shard: reads take it first, writes carry its epoch.</remarks>
public sealed class PostgresEventStore : IEventStore, IAsyncDisposable
{
    private const int Overtaken = 2;

    private readonly PostgresWriter _writer;
    private readonly IPoolReads _reads;
    private readonly TimeProvider _time;

    internal PostgresEventStore(PostgresSettings settings, IPoolDatabase database, PoolSession session, TimeProvider time)
    {
        Session = session;
        _time = time;
        _reads = database.Reads;
        _writer = new PostgresWriter(settings, database.OpenWrites(), database.Place, session, time);
    }

    /// <summary>The level of durability in words, for start-up messages and benchmark lines.</summary>
    public static string Durability => "PostgreSQL commit (synchronous_commit as the server has it)";

    public PoolSession Session { get; }

    /// <summary>Transactions committed by this member.</summary>
    public long Commits => _writer.Commits;

    internal PostgresWriter Writer => _writer;

    /// <summary>Appends all events or none, under the epoch that this member holds the shard with; <see cref="EventAppend.Epoch"/> is not looked at.</summary>
    public async Task<AppendResult> AppendAsync(EventAppend append)
    {
        append.Check();
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        AppendResult result = await _writer.Enqueue(
            append.PersistenceId,
            LeaseKey.Of(append.PersistenceId),
            append.Events.Sum(e => (long)e.Payload.Length),
            epoch => AppendCommand(append, epoch, now),
            row => new AppendResult((AppendStatus)row.GetInt32(0), row.GetInt64(1), row.GetInt64(2))).ConfigureAwait(false);
        if (result.Status == AppendStatus.OlderEpoch)
        {
            Session.Overtaken(LeaseKey.Of(append.PersistenceId), result.Epoch);
        }

        return result;
    }

    public Task DeleteToAsync(string persistenceId, long toSequenceNr) => FencedAsync(
        persistenceId, 0, "SELECT agentmesh.delete_events($1, $2, $3, $4, $5)", () => [PostgresReads.Number(toSequenceNr)]);

    public Task SaveSnapshotAsync(StoredSnapshot snapshot) => FencedAsync(
        snapshot.PersistenceId,
        snapshot.Payload.Length,
        "SELECT agentmesh.save_snapshot($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        () =>
        [
            PostgresReads.Number(snapshot.SequenceNr), PostgresReads.Number(snapshot.Timestamp), new NpgsqlParameter<int> { TypedValue = snapshot.SerializerId },
            PostgresReads.Text(snapshot.Manifest), new NpgsqlParameter<byte[]> { TypedValue = snapshot.Payload }, PostgresReads.Number(Checksums.OfSnapshot(snapshot)),
        ]);

    public Task DeleteSnapshotsAsync(string persistenceId, SnapshotBounds bounds) => FencedAsync(
        persistenceId,
        0,
        "SELECT agentmesh.delete_snapshots($1, $2, $3, $4, $5, $6, $7, $8)",
        () => [PostgresReads.Number(bounds.MinSequenceNr), PostgresReads.Number(bounds.MaxSequenceNr), PostgresReads.Number(bounds.MinTimestamp), PostgresReads.Number(bounds.MaxTimestamp)]);

    public async Task<bool> RemoveAsync(string persistenceId, long highestSequence)
    {
        LeaseKey key = LeaseKey.Of(persistenceId);
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        int status = await _writer.Enqueue(
            persistenceId,
            key,
            0,
            epoch => Command("SELECT agentmesh.remove_entity($1, $2, $3, $4, $5, $6)", [.. Fence(persistenceId, key, epoch), PostgresReads.Number(highestSequence), PostgresReads.Number(now)]),
            row => row.GetInt32(0)).ConfigureAwait(false);
        return status != Overtaken ? status == 0 : throw OvertakenIn(key);
    }

    public Task ForgetRemovedAsync(string persistenceId) => FencedAsync(persistenceId, 0, "SELECT agentmesh.forget_removed($1, $2, $3, $4)", () => []);

    public async Task<long> ReadHighestSequenceAsync(string persistenceId, CancellationToken cancellation = default)
    {
        await OwnAsync(persistenceId, cancellation).ConfigureAwait(false);
        return await _reads.HighestSequenceAsync(persistenceId, cancellation).ConfigureAwait(false);
    }

    public async Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation = default)
    {
        if (max > 0 && from <= to)
        {
            await OwnAsync(persistenceId, cancellation).ConfigureAwait(false);
            await _reads.ReplayAsync(persistenceId, from, to, max, callback, cancellation).ConfigureAwait(false);
        }
    }

    public async Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation = default)
    {
        // An earlier owner may be about to delete the events that a newer snapshot stands for.
        await OwnAsync(persistenceId, cancellation).ConfigureAwait(false);
        return await _reads.FindSnapshotAsync(persistenceId, bounds, cancellation).ConfigureAwait(false);
    }

    public Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _reads.NewestFirstAsync(prefix, isRemoved: false, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _reads.NewestFirstAsync(prefix, isRemoved: true, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null) =>
        _reads.WithOpenEndAsync(prefix, closedManifests, limit, wanted, cancellation);

    public Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default) =>
        _reads.EventsAsync(persistenceId, from, max, cancellation);

    /// <summary>Writes what is queued, then leaves the pool.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        await Session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task OwnAsync(string persistenceId, CancellationToken cancellation)
    {
        await _writer.WritesSettledAsync(persistenceId).WaitAsync(cancellation).ConfigureAwait(false);
        await Session.OwnAsync(LeaseKey.Of(persistenceId), cancellation).ConfigureAwait(false);
    }

    private async Task FencedAsync(string persistenceId, long bytes, string sql, Func<NpgsqlParameter[]> rest)
    {
        LeaseKey key = LeaseKey.Of(persistenceId);
        bool isDone = await _writer.Enqueue(persistenceId, key, bytes, epoch => Command(sql, [.. Fence(persistenceId, key, epoch), .. rest()]), row => row.GetBoolean(0)).ConfigureAwait(false);
        if (!isDone)
        {
            throw OvertakenIn(key);
        }
    }

    private MeshException OvertakenIn(LeaseKey key)
    {
        Session.Overtaken(key, long.MaxValue);
        return new MeshException(JournalErrors.Fenced, $"{key} has a newer owner; nothing was stored");
    }

    private static NpgsqlParameter[] Fence(string persistenceId, LeaseKey key, long epoch) =>
        [PostgresReads.Text(persistenceId), PostgresReads.Text(key.Home), PostgresReads.Text(key.Shard), PostgresReads.Number(epoch)];

    private static NpgsqlBatchCommand AppendCommand(EventAppend append, long epoch, long now)
    {
        LeaseKey key = LeaseKey.Of(append.PersistenceId);
        IReadOnlyList<EventRecord> events = append.Events;
        return Command(
            "SELECT r_status, r_highest, r_epoch FROM agentmesh.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            [
                PostgresReads.Text(append.PersistenceId), PostgresReads.Text(JournalSchema.CategoryOf(append.PersistenceId)), PostgresReads.Text(key.Home), PostgresReads.Text(key.Shard),
                PostgresReads.Number(epoch), PostgresReads.Number(append.PreviousSequence), PostgresReads.Number(append.LastSequence), PostgresReads.Number(now),
                Array(events, e => e.SequenceNr, NpgsqlDbType.Bigint), Array(events, e => e.SerializerId, NpgsqlDbType.Integer), Array(events, e => e.Manifest, NpgsqlDbType.Text),
                Array(events, e => e.Payload, NpgsqlDbType.Bytea), Array(events, e => e.WriterGuid, NpgsqlDbType.Text), Array(events, e => e.Timestamp, NpgsqlDbType.Bigint),
                Array(events, e => Checksums.OfEvent(append.PersistenceId, e, 0, 0), NpgsqlDbType.Bigint),
            ]);
    }

    private static NpgsqlParameter Array<T>(IReadOnlyList<EventRecord> events, Func<EventRecord, T> part, NpgsqlDbType type) =>
        new NpgsqlParameter<T[]> { TypedValue = [.. events.Select(part)], NpgsqlDbType = NpgsqlDbType.Array | type };

    private static NpgsqlBatchCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        NpgsqlBatchCommand command = new(sql);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
