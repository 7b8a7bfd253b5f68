using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using AgentMesh.Journal.Sqlite;
using AgentMesh.Journal.Storage;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal;

/// <summary>
/// Events, snapshots and the entity index of one device in one SQLite file. A task that ends well means: on disk. A task that fails with a code other than
/// <c>AM0406</c> or <c>AM0408</c> means: nothing was stored; with these two, only the next recovery knows.
/// </summary>
/// <remarks>Thread-safe. One process at a time per file; within a process share one object, see <see cref="EventStoreRegistry"/>.</remarks>
public sealed class SqliteEventStore : IEventStore, IDisposable
{
    private readonly EventStoreSettings _settings;
    private readonly TimeProvider _time;
    private readonly FileLock _lock;
    private readonly AckFile _ack;
    private readonly GroupCommitWriter _writer;
    private readonly ReaderPool _readers;
    private int _disposed;

    private SqliteEventStore(EventStoreSettings settings, TimeProvider time, FileLock fileLock, AckFile ack, SqliteConnection connection)
    {
        _settings = settings;
        _time = time;
        _lock = fileLock;
        _ack = ack;
        _writer = new GroupCommitWriter(settings, connection, ack, time);
        _readers = new ReaderPool(settings.Path, settings.Readers);
    }

    /// <summary>The level of durability in words, for start-up messages and benchmark lines.</summary>
    public static string Durability => "SQLite WAL synchronous=FULL";

    /// <summary>Version of the SQLite library in use.</summary>
    public static string LibraryVersion => SqliteLibrary.Version;

    public string Path => _settings.Path;

    public long Commits => _writer.Commits;

    internal GroupCommitWriter Writer => _writer;

    /// <exception cref="MeshException">
    /// <c>AM0401</c> locked by another process, <c>AM0402</c> damaged, <c>AM0403</c> newer format, <c>AM0404</c> no journal, <c>AM0407</c> not writable, <c>AM0410</c> no SQLite.
    /// A file that is refused is left as it was found.
    /// </exception>
    public static SqliteEventStore Open(EventStoreSettings settings, TimeProvider time)
    {
        FileLock fileLock = FileLock.Acquire(settings.Path + ".lock", $"the journal {settings.Path}");
        AckFile? ack = null;
        try
        {
            ack = AckFile.Open(settings.Path + ".ack");
            return new SqliteEventStore(settings, time, fileLock, ack, JournalOpener.Open(settings, ack));
        }
        catch (Exception e)
        {
            ack?.Dispose();
            fileLock.Dispose();
            if (e is UnauthorizedAccessException or IOException)
            {
                throw new MeshException(JournalErrors.ReadOnly, $"{settings.Path} cannot be opened: {e.Message}", "give the user that runs the node write access to the data directory", e);
            }

            throw;
        }
    }

    /// <summary>Takes the next fencing token. From the first append with it on, the entity refuses all older ones.</summary>
    public Task<long> BeginEpochAsync() => _writer.Enqueue("epoch", 0, static s => s.NextEpoch.ExecuteInt64());

    public Task<AppendResult> AppendAsync(EventAppend append)
    {
        append.Check();
        long bytes = 0;
        for (int i = 0; i < append.Events.Count; i++)
        {
            bytes += append.Events[i].Payload.Length;
        }

        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _writer.Enqueue(append.PersistenceId, bytes, s => EventWrites.Append(s, append, now));
    }

    public Task DeleteToAsync(string persistenceId, long toSequenceNr) =>
        _writer.Enqueue(persistenceId, 0, s => EventWrites.DeleteTo(s, persistenceId, toSequenceNr));

    public async Task<long> ReadHighestSequenceAsync(string persistenceId, CancellationToken cancellation = default)
    {
        await _writer.WritesSettledAsync(persistenceId).WaitAsync(cancellation).ConfigureAwait(false);
        return await _readers.ReadAsync(reader => reader.HighestSequence(persistenceId), cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>Calls back on a pool thread.</remarks>
    public async Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation = default)
    {
        await _writer.WritesSettledAsync(persistenceId).WaitAsync(cancellation).ConfigureAwait(false);
        await _readers.ReadAsync(
            reader =>
            {
                reader.Replay(persistenceId, from, to, max, callback, cancellation);
                return true;
            },
            cancellation).ConfigureAwait(false);
    }

    public Task SaveSnapshotAsync(StoredSnapshot snapshot) =>
        _writer.Enqueue(snapshot.PersistenceId, snapshot.Payload.Length, s => EventWrites.SaveSnapshot(s, snapshot));

    public async Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation = default)
    {
        // An actor may have deleted the events that a snapshot on its way stands for.
        await _writer.WritesSettledAsync(persistenceId).WaitAsync(cancellation).ConfigureAwait(false);
        return await _readers.ReadAsync(reader => reader.FindSnapshot(persistenceId, bounds), cancellation).ConfigureAwait(false);
    }

    public Task DeleteSnapshotsAsync(string persistenceId, SnapshotBounds bounds) =>
        _writer.Enqueue(persistenceId, 0, s => EventWrites.DeleteSnapshots(s, persistenceId, bounds));

    public Task<bool> RemoveAsync(string persistenceId, long highestSequence)
    {
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _writer.Enqueue(persistenceId, 0, s => EventWrites.Remove(s, persistenceId, highestSequence, now));
    }

    public Task ForgetRemovedAsync(string persistenceId) => _writer.Enqueue(persistenceId, 0, s => EventWrites.ForgetRemoved(s, persistenceId));

    public Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _readers.ReadAsync(reader => reader.NewestFirst(JournalSchema.CategoryOf(prefix), prefix, before, Math.Clamp(limit, 1, 10_000)), cancellation);

    public Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _readers.ReadAsync(reader => reader.NewestFirst(JournalSchema.Removed, prefix, before, Math.Clamp(limit, 1, 10_000)), cancellation);

    /// <inheritdoc/>
    /// <remarks>Costs one index step per distinct manifest and one per entity found, however many are closed.</remarks>
    public Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null) =>
        _readers.ReadAsync<IReadOnlyList<EntitySummary>>(reader => reader.WithOpenEnd(prefix, closedManifests, limit, wanted), cancellation);

    public async Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default)
    {
        var events = new List<StoredEvent>();
        await ReplayAsync(persistenceId, from, long.MaxValue, max, events.Add, cancellation).ConfigureAwait(false);
        return events;
    }

    /// <summary>Writes what is queued, copies the log into the file and releases the lock.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _readers.Dispose();
        _writer.Dispose();
        _ack.Dispose();
        _lock.Dispose();
    }
}
