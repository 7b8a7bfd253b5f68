using AgentMesh.Errors;
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
    private readonly NpgsqlDataSource _source;
    private readonly PoolSession? _session;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly ITimer _deadlines;
    private readonly Lock _gate = new();
    private readonly Queue<PostgresOperation> _queue = new();
    private readonly List<PostgresOperation> _batch = [];
    private readonly SemaphoreSlim _work = new(0);
    private readonly Task _running;
    private TaskCompletionSource _batchEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection? _connection;
    private long _queuedBytes;
    private int _queuedLive;
    private bool _closing;

    /// <param name="session">Holds the shards that writes with a key are made for; null where none have one.</param>
    public PostgresWriter(PostgresSettings settings, NpgsqlDataSource source, string place, PoolSession? session, TimeProvider time)
    {
        _settings = settings;
        _source = source;
        _place = place;
        _session = session;
        _time = time;
        TimeSpan period = TimeSpan.FromMilliseconds(Math.Clamp(settings.AppendTimeout.TotalMilliseconds / 16, 10, 1000));
        _deadlines = time.CreateTimer(_ => AbandonLate(), null, period, period);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Transactions so far, for measuring how well writes share them.</summary>
    public long Commits { get; private set; }

    /// <param name="scope">What it concerns; with a key, the persistence id.</param>
    public Task<T> Enqueue<T>(string scope, LeaseKey? key, long bytes, Func<long, NpgsqlBatchCommand> command, Func<NpgsqlDataReader, T> read)
    {
        PostgresOperation<T> operation = new(command, read)
        {
            Scope = scope,
            Key = key,
            Bytes = bytes,
            Deadline = _time.GetTimestamp() + (long)(_settings.AppendTimeout.TotalSeconds * _time.TimestampFrequency),
        };
        lock (_gate)
        {
            if (_closing)
            {
                operation.Fail(new MeshException(JournalErrors.Closed, $"{_place}: this member has left the pool; nothing was stored"));
            }
            else if (_queuedLive >= _settings.QueuedWritesMax || (_queuedBytes + bytes > _settings.QueuedBytesMax && _queuedLive > 0))
            {
                operation.Fail(new MeshException(
                    JournalErrors.Overloaded, $"{_queuedLive} writes ({_queuedBytes} bytes) wait for {_place}; nothing was stored", "the database is slower than the writers; try again"));
            }
            else
            {
                _queue.Enqueue(operation);
                _queuedLive++;
                _queuedBytes += bytes;
                if (_work.CurrentCount == 0)
                {
                    _work.Release();
                }
            }
        }

        return operation.Task;
    }

    /// <summary>Ends when it is decided what becomes of the writes of this entity that were queued before: a recovery must see them, or never.</summary>
    public async Task WritesSettledAsync(string scope)
    {
        while (TryFindUndecided(scope, out Task decided))
        {
            await decided.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Writes what is queued, as far as the deadlines allow.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
        }

        _work.Release();
        await _running.ConfigureAwait(false);
        await _deadlines.DisposeAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        _work.Dispose();
    }

    private async Task RunAsync()
    {
        while (await TakeBatchAsync().ConfigureAwait(false))
        {
            await WriteAsync(_batch).ConfigureAwait(false);
            TaskCompletionSource end;
            lock (_gate)
            {
                _batch.Clear();
                end = _batchEnd;
            }

            end.TrySetResult();
        }
    }

    private async Task<bool> TakeBatchAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                long bytes = 0;
                while (_batch.Count < _settings.BatchWritesMax && bytes < BatchBytesMax && _queue.TryDequeue(out PostgresOperation? operation))
                {
                    if (!operation.IsAbandoned)
                    {
                        _queuedLive--;
                        _queuedBytes -= operation.Bytes;
                        bytes += operation.Bytes;
                        _batch.Add(operation);
                    }
                }

                if (_batch.Count > 0)
                {
                    _batchEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    return true;
                }

                if (_closing)
                {
                    return false;
                }
            }

            await _work.WaitAsync().ConfigureAwait(false);
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
        List<PostgresOperation> owned = new(batch.Count);
        NpgsqlBatch statements = new();
        await using (statements.ConfigureAwait(false))
        {
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
                    owned.Add(operation);
                    statements.BatchCommands.Add(operation.Command(epoch));
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
                NpgsqlConnection connection = await ConnectionAsync(late.Token).ConfigureAwait(false);
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(late.Token).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    statements.Connection = connection;
                    statements.Transaction = transaction;
                    await RunAsync(statements, owned, late.Token).ConfigureAwait(false);
                    committing = true;
                    await transaction.CommitAsync(late.Token).ConfigureAwait(false);
                }
            }
#pragma warning disable CA1031 // The writer must outlive any single failure; the callers get it.
            catch (Exception error)
#pragma warning restore CA1031
            {
                // Also after a mere refusal: what the client has prepared on the connection does not survive an error in the middle of a batch.
                await CloseAsync().ConfigureAwait(false);
                if (!committing)
                {
                    return error is PostgresException refused
                        ? new Outcome(PostgresProblems.NotStored(error, _place), refused.SqlState[..2] is "22" or "23" or "54", PostgresProblems.IsBroken(refused))
                        : new Outcome(PostgresProblems.NotStored(error, _place), false, error is NpgsqlException broken && PostgresProblems.IsBroken(broken));
                }

                // Whoever recovers now must not read before this is decided: the shard gets a new epoch first, which waits for what is under way.
                foreach (PostgresOperation operation in owned)
                {
                    if (operation.Key is { } key)
                    {
                        _session!.Doubt(key);
                    }
                }

                return new Outcome(PostgresProblems.Uncertain(error, _place), false, false);
            }

            Commits++;
            foreach (PostgresOperation operation in owned)
            {
                operation.Complete();
            }

            return default;
        }
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

    private static async Task RunAsync(NpgsqlBatch statements, List<PostgresOperation> owned, CancellationToken cancellation)
    {
        // Costs a round trip for the first statement of its kind on a connection, and nothing after it.
        await statements.PrepareAsync(cancellation).ConfigureAwait(false);
        NpgsqlDataReader rows = await statements.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await using (rows.ConfigureAwait(false))
        {
            foreach (PostgresOperation operation in owned)
            {
                Invariant.Check(await rows.ReadAsync(cancellation).ConfigureAwait(false));
                operation.Read(rows);
                await rows.NextResultAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<NpgsqlConnection> ConnectionAsync(CancellationToken cancellation)
    {
        if (_connection is { State: System.Data.ConnectionState.Open })
        {
            return _connection;
        }

        await CloseAsync().ConfigureAwait(false);
        return _connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            NpgsqlConnection.ClearPool(connection);
            try
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (PostgresProblems.IsOne(error))
            {
                // It is broken already.
            }
        }
    }

    private bool TryFindUndecided(string scope, out Task decided)
    {
        lock (_gate)
        {
            foreach (PostgresOperation operation in _batch)
            {
                if (operation.Scope == scope)
                {
                    decided = _batchEnd.Task;
                    return true;
                }
            }

            // One that was given up in the queue is never tried.
            foreach (PostgresOperation operation in _queue)
            {
                if (operation.Scope == scope && !operation.IsAbandoned)
                {
                    decided = operation.Ended;
                    return true;
                }
            }

            decided = Task.CompletedTask;
            return false;
        }
    }

    private void AbandonLate()
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            // Deadlines are in the order of the queue.
            foreach (PostgresOperation operation in _queue)
            {
                if (operation.Deadline > now)
                {
                    break;
                }

                if (!operation.IsAbandoned)
                {
                    Abandon(operation, "nothing was stored");
                    _queuedLive--;
                    _queuedBytes -= operation.Bytes;
                }
            }

            foreach (PostgresOperation operation in _batch)
            {
                if (operation.Deadline <= now && !operation.IsAbandoned)
                {
                    Abandon(operation, "it may still be stored");
                }
            }
        }
    }

    private void Abandon(PostgresOperation operation, string outcome)
    {
        operation.IsAbandoned = true;
        operation.Fail(new MeshException(
            JournalErrors.Timeout, $"a write for {operation.Scope} to {_place} did not finish in {_settings.AppendTimeout.TotalSeconds:0.#} s; {outcome}", "the database is very slow or stuck; see 'agentmesh doctor'"));
    }

    /// <param name="Error">Null when the operations that were tried are stored and told.</param>
    /// <param name="MayBeOne">The database refused what one of the writes holds.</param>
    /// <param name="IsStale">A connection from before was broken; another one may work.</param>
    private readonly record struct Outcome(MeshException? Error, bool MayBeOne, bool IsStale);
}
