using System.Data.Common;
using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>
/// The one writer of a member. Whatever has queued up while the previous commit was on its way shares the next transaction, so a slow database makes
/// batches longer and not the queue. The commit is a step of its own: a connection that breaks before it has stored nothing, for certain.
/// </summary>
internal sealed class PostgresWriter : IAsyncDisposable
{
    /// <summary>A transaction that has so much takes no more: one batch of large writes must not keep the small ones behind it waiting.</summary>
    private const long BatchBytesMax = 4 * 1024 * 1024;

    private readonly PostgresSettings _settings;
    private readonly IPoolWrites _writes;
    private readonly PoolSession? _session;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly WriteQueue<PostgresOperation> _queue;
    private readonly Task _running;

    /// <param name="session">Holds the shards that writes with a key are made for; null where none have one.</param>
    public PostgresWriter(PostgresSettings settings, IPoolWrites writes, string place, PoolSession? session, TimeProvider time)
    {
        _settings = settings;
        _writes = writes;
        _place = place;
        _session = session;
        _time = time;
        _queue = new WriteQueue<PostgresOperation>(
            new WriteQueueSettings
            {
                Place = place,
                ClosedBecause = $"{place}: this member has left the pool",
                WhenFull = "the database is slower than the writers; try again",
                WhenLate = "the database is very slow or stuck; see 'agentmesh doctor'",
                Timeout = settings.AppendTimeout,
                WritesMax = settings.QueuedWritesMax,
                BytesMax = settings.QueuedBytesMax,
                BatchWritesMax = settings.BatchWritesMax,
                BatchBytesMax = BatchBytesMax,
            },
            time);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Transactions so far, for measuring how well writes share them.</summary>
    public long Commits { get; private set; }

    /// <param name="scope">What it concerns; with a key, the persistence id.</param>
    public Task<T> Enqueue<T>(string scope, LeaseKey? key, long bytes, Func<long, NpgsqlBatchCommand> command, Func<DbDataReader, T> read)
    {
        PostgresOperation<T> operation = new(command, read) { Scope = scope, Key = key, Bytes = bytes };
        _queue.Add(operation);
        return operation.Task;
    }

    /// <inheritdoc cref="WriteQueue{TWrite}.SettledAsync"/>
    public Task WritesSettledAsync(string scope) => _queue.SettledAsync(scope);

    /// <summary>Writes what is queued, as far as the deadlines allow.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_queue.Close())
        {
            return;
        }

        await _running.ConfigureAwait(false);
        _queue.Dispose();
        await _writes.DisposeAsync().ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (await _queue.TakeBatchAsync().ConfigureAwait(false) is { } batch)
        {
            await WriteAsync(batch).ConfigureAwait(false);
            _queue.EndBatch();
        }
    }

    private async Task WriteAsync(List<PostgresOperation> batch)
    {
        Outcome outcome = await TryCommitAsync(batch).ConfigureAwait(false);
        if (outcome.IsStale)
        {
            // The database was restarted since the connection was last used, here or by another writer of this process: it has only now told so, and
            // nothing was committed.
            outcome = await TryCommitAsync(batch).ConfigureAwait(false);
        }

        if (outcome.Error is not { } error)
        {
            return;
        }

        // One write may have been the reason; its neighbours get their own chance. A database that is away would only be asked as many times.
        if (outcome.MayBeOne && batch.Count > 1)
        {
            foreach (PostgresOperation operation in batch)
            {
                if ((await TryCommitAsync([operation]).ConfigureAwait(false)).Error is { } own)
                {
                    operation.Fail(own);
                }
            }

            return;
        }

        foreach (PostgresOperation operation in batch)
        {
            operation.Fail(error);
        }
    }

    private async Task<Outcome> TryCommitAsync(IReadOnlyList<PostgresOperation> batch)
    {
        using CancellationTokenSource late = new(_settings.AppendTimeout, _time);
        List<(PostgresOperation Operation, NpgsqlBatchCommand Statement)> owned = new(batch.Count);
        foreach (PostgresOperation operation in batch)
        {
            if (operation.Ended.IsCompleted)
            {
                // From the second try on: what its caller was told must stay true.
                continue;
            }

            // In the order of the queue, so that the writes of an entity do not overtake each other.
            MeshException? refusal = operation.Key is { } key && _session!.EpochOf(key) is null ? await OwnAsync(key, late.Token).ConfigureAwait(false) : null;
            if (refusal is null && (operation.Key is { } shard ? _session!.EpochOf(shard) : 0) is { } epoch)
            {
                owned.Add((operation, operation.Command(epoch)));
            }
            else
            {
                operation.Fail(refusal ?? new MeshException(JournalErrors.LeaseLost, $"this member does not hold {operation.Key} any more; nothing was stored", "try again in a moment"));
            }
        }

        if (owned.Count == 0)
        {
            return default;
        }

        bool committing = false;
        try
        {
            await _writes.CommitAsync(owned, () => committing = true, late.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The writer must outlive any single failure; the callers get it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            // Also after a mere refusal: what the client has prepared on the connection does not survive an error in the middle of a batch.
            await _writes.ForgetConnectionAsync().ConfigureAwait(false);
            if (!committing)
            {
                return error is PostgresException refused
                    ? new Outcome(PostgresProblems.NotStored(error, _place), refused.SqlState[..2] is "22" or "23" or "54", PostgresProblems.IsBroken(refused))
                    : new Outcome(PostgresProblems.NotStored(error, _place), false, error is NpgsqlException broken && PostgresProblems.IsBroken(broken));
            }

            // Whoever recovers now must not read before this is decided: the shard gets a new epoch first, which waits for what is under way.
            foreach ((PostgresOperation operation, _) in owned)
            {
                if (operation.Key is { } key)
                {
                    _session!.Doubt(key);
                }
            }

            return new Outcome(PostgresProblems.Uncertain(error, _place), false, false);
        }

        Commits++;
        foreach ((PostgresOperation operation, _) in owned)
        {
            operation.Complete();
        }

        return default;
    }

    private async Task<MeshException?> OwnAsync(LeaseKey key, CancellationToken cancellation)
    {
        try
        {
            return await _session!.TryOwnAsync(key, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) || error is OperationCanceledException)
        {
            return PostgresProblems.NotStored(error, _place);
        }
    }

    /// <param name="Error">Null when the operations that were tried are stored and told.</param>
    /// <param name="MayBeOne">The database refused what one of the writes holds.</param>
    /// <param name="IsStale">A connection from before was broken; another one may work.</param>
    private readonly record struct Outcome(MeshException? Error, bool MayBeOne, bool IsStale);
}
