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
    private readonly WriteQueue<WriteOperation> _queue;
    private readonly JournalStatements _statements;
    private readonly AckFile _ack;
    private readonly Thread _thread;

    public GroupCommitWriter(EventStoreSettings settings, SqliteConnection connection, AckFile ack, TimeProvider time)
    {
        _settings = settings;
        _ack = ack;
        _statements = new JournalStatements(connection);
        _queue = new WriteQueue<WriteOperation>(
            new WriteQueueSettings
            {
                Place = settings.Path,
                ClosedBecause = $"{settings.Path} is closed",
                WhenFull = "the disk is slower than the writers; try again, or raise agentmesh.journal.queued-writes-max",
                WhenLate = "the disk is very slow or stuck; see agentmesh status",
                Timeout = settings.AppendTimeout,
                WritesMax = settings.QueuedWritesMax,
                BytesMax = settings.QueuedBytesMax,
                BatchWritesMax = settings.BatchWritesMax,
            },
            time);
        _thread = new Thread(Run) { IsBackground = true, Name = "journal writer" };
        _thread.Start();
    }

    /// <summary>Commits so far, for measuring how well writes share them.</summary>
    public long Commits { get; private set; }

    public Task<T> Enqueue<T>(string scope, long bytes, Func<JournalStatements, T> work)
    {
        WriteOperation<T> operation = new(work) { Scope = scope, Bytes = bytes };
        _queue.Add(operation);
        return operation.Task;
    }

    /// <inheritdoc cref="WriteQueue{TWrite}.SettledAsync"/>
    public Task WritesSettledAsync(string scope) => _queue.SettledAsync(scope);

    /// <summary>Writes what is queued, then closes the file.</summary>
    public void Dispose()
    {
        if (!_queue.Close())
        {
            return;
        }

        _thread.Join();
        _queue.Dispose();
        _statements.Dispose();
        _ack.Flush();
    }

    private void Run()
    {
        while (_queue.TakeBatch() is { } batch)
        {
            Write(batch);
            _queue.EndBatch();
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
}
