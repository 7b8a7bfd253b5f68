using AgentMesh.Errors;
using AgentMesh.Journal.Sqlite;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>
/// The one writer of a file. Whatever has queued up while the previous commit was on its way to the disk shares the next transaction, so a slow disk
/// makes batches longer and not the queue.
/// </summary>
internal sealed class GroupCommitWriter : IDisposable
{
    private readonly EventStoreSettings _settings;
    private readonly TimeProvider _time;
    private readonly JournalStatements _statements;
    private readonly AckFile _ack;
    private readonly Thread _thread;
    private readonly ITimer _deadlines;
    private readonly Lock _fileGate = new();
    private readonly object _gate = new();
    private readonly Queue<WriteOperation> _queue = new();
    private readonly List<WriteOperation> _batch = [];
    private TaskCompletionSource _batchEnd = Completed();
    private long _queuedBytes;
    private int _queuedLive;
    private bool _closing;

    public GroupCommitWriter(EventStoreSettings settings, SqliteConnection connection, AckFile ack, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        _ack = ack;
        _statements = new JournalStatements(connection);
        _thread = new Thread(Run) { IsBackground = true, Name = "journal writer" };
        TimeSpan period = TimeSpan.FromMilliseconds(Math.Clamp(settings.AppendTimeout.TotalMilliseconds / 16, 10, 1000));
        _deadlines = time.CreateTimer(_ => AbandonLate(), null, period, period);
        _thread.Start();
    }

    /// <summary>Commits so far, for measuring how well writes share them.</summary>
    public long Commits { get; private set; }

    public Task<T> Enqueue<T>(string scope, long bytes, Func<JournalStatements, T> work)
    {
        WriteOperation<T> operation = new(work)
        {
            Scope = scope,
            Bytes = bytes,
            Deadline = _time.GetTimestamp() + (long)(_settings.AppendTimeout.TotalSeconds * _time.TimestampFrequency),
        };
        lock (_gate)
        {
            if (_closing)
            {
                operation.Fail(new MeshException(JournalErrors.Closed, $"{_settings.Path} is closed; nothing was stored"));
            }
            else if (_queuedLive >= _settings.QueuedWritesMax || (_queuedBytes + bytes > _settings.QueuedBytesMax && _queuedLive > 0))
            {
                operation.Fail(new MeshException(
                    JournalErrors.Overloaded,
                    $"{_queuedLive} writes ({_queuedBytes} bytes) wait for {_settings.Path}; nothing was stored",
                    "the disk is slower than the writers; try again, or raise agentmesh.journal.queued-writes-max"));
            }
            else
            {
                _queue.Enqueue(operation);
                _queuedLive++;
                _queuedBytes += bytes;
                if (_queue.Count == 1)
                {
                    Monitor.Pulse(_gate);
                }
            }
        }

        return operation.Task;
    }

    /// <summary>
    /// Ends when it is decided what becomes of the writes of this entity that were queued before, those included that their callers have given up: a recovery must see them, or never.
    /// </summary>
    public async Task WritesSettledAsync(string scope)
    {
        while (TryFindUndecided(scope, out Task decided))
        {
            await decided.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Writes what is queued, then closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
        _deadlines.Dispose();
        lock (_fileGate)
        {
            _statements.Dispose();
            _ack.Flush();
        }
    }

    private void Run()
    {
        while (TakeBatch())
        {
            lock (_fileGate)
            {
                Write(_batch);
            }

            TaskCompletionSource end;
            lock (_gate)
            {
                _batch.Clear();
                end = _batchEnd;
            }

            end.TrySetResult();
        }
    }

    private bool TryFindUndecided(string scope, out Task decided)
    {
        lock (_gate)
        {
            foreach (WriteOperation operation in _batch)
            {
                if (operation.Scope == scope)
                {
                    decided = _batchEnd.Task;
                    return true;
                }
            }

            // One that was given up in the queue is never tried.
            foreach (WriteOperation operation in _queue)
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

    private bool TakeBatch()
    {
        lock (_gate)
        {
            while (_queuedLive == 0)
            {
                _queue.Clear();
                if (_closing)
                {
                    return false;
                }

                Monitor.Wait(_gate);
            }

            while (_batch.Count < _settings.BatchWritesMax && _queue.TryDequeue(out WriteOperation? operation))
            {
                if (!operation.IsAbandoned)
                {
                    _queuedLive--;
                    _queuedBytes -= operation.Bytes;
                    _batch.Add(operation);
                }
            }

            _batchEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    private void Write(List<WriteOperation> batch)
    {
        MeshException? error = TryCommit(batch, out bool notStored);
        if (error is null)
        {
            return;
        }

        // One write may have been the reason (too big for the room that is left); its neighbours get their own chance.
        if (notStored && batch.Count > 1 && error.Code is not (JournalErrors.ReadOnly or JournalErrors.Locked))
        {
            List<WriteOperation> single = [batch[0]];
            foreach (WriteOperation operation in batch)
            {
                single[0] = operation;
                if (TryCommit(single, out _) is { } own)
                {
                    operation.Fail(own);
                }
            }

            return;
        }

        foreach (WriteOperation operation in batch)
        {
            operation.Fail(error);
        }
    }

    private MeshException? TryCommit(List<WriteOperation> batch, out bool notStored)
    {
        notStored = false;
        bool committing = false;
        try
        {
            _statements.Begin();
            foreach (WriteOperation operation in batch)
            {
                operation.Apply(_statements);
            }

            committing = true;
            long number = _statements.Commit();
            Commits++;
            _ack.Write(number);
            foreach (WriteOperation operation in batch)
            {
                operation.Complete();
            }

            return null;
        }
        catch (SqliteException e)
        {
            _statements.RollbackQuietly();
            notStored = !committing || SqliteErrors.IsCertainlyNotStored(e);
            return SqliteErrors.ToMeshException(e, _settings.Path);
        }
#pragma warning disable CA1031 // The writer must outlive any single failure; the callers get it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _statements.RollbackQuietly();
            return new MeshException(JournalErrors.StorageFailed, $"{_settings.Path}: the write failed: {e.Message}", "check the disk and the system log", e);
        }
    }

    private void AbandonLate()
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            // Deadlines are in the order of the queue.
            foreach (WriteOperation operation in _queue)
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

            foreach (WriteOperation operation in _batch)
            {
                if (operation.Deadline <= now && !operation.IsAbandoned)
                {
                    Abandon(operation, "it may still be stored");
                }
            }
        }
    }

    private void Abandon(WriteOperation operation, string outcome)
    {
        operation.IsAbandoned = true;
        operation.Fail(new MeshException(
            JournalErrors.Timeout,
            $"a write for {operation.Scope} to {_settings.Path} did not finish in {_settings.AppendTimeout.TotalSeconds:0.#} s; {outcome}",
            "the disk is very slow or stuck; see agentmesh status"));
    }

    private static TaskCompletionSource Completed()
    {
        TaskCompletionSource source = new();
        source.SetResult();
        return source;
    }
}
