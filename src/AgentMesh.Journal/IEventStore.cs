using AgentMesh.Errors;

namespace AgentMesh.Journal;

/// <summary>
/// Events and snapshots of entities. A task that ends well means: stored. One that fails carries a <see cref="MeshException"/>; with a code other than
/// <c>AM0406</c> or <c>AM0408</c> it means: nothing was stored; with these two, only the next recovery knows.
/// </summary>
/// <remarks>Thread-safe. The reads of one entity wait for its writes that were queued before.</remarks>
public interface IEventStore : IEntityIndex
{
    /// <summary>Transactions committed since the store was opened.</summary>
    long Commits { get; }

    /// <summary>Appends all events or none. A refusal is a result and fails nobody else.</summary>
    Task<AppendResult> AppendAsync(EventAppend append);

    /// <summary>Deletes events up to and including <paramref name="toSequenceNr"/>. The highest sequence number of the entity does not change.</summary>
    Task DeleteToAsync(string persistenceId, long toSequenceNr);

    /// <summary>Highest sequence number ever used by the entity, 0 when it has none.</summary>
    Task<long> ReadHighestSequenceAsync(string persistenceId, CancellationToken cancellation = default);

    /// <summary>Calls back for each event with a sequence number in [<paramref name="from"/>, <paramref name="to"/>], ascending, at most <paramref name="max"/> of them, one after the other.</summary>
    /// <exception cref="MeshException"><c>AM0402</c> when an event of the range is missing or damaged; the callback may have seen the ones before it.</exception>
    Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation = default);

    /// <summary>Stores a snapshot; one with the same sequence number is replaced.</summary>
    Task SaveSnapshotAsync(StoredSnapshot snapshot);

    /// <summary>The snapshot with the highest sequence number within the bounds, or null.</summary>
    Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation = default);

    Task DeleteSnapshotsAsync(string persistenceId, SnapshotBounds bounds);

    /// <summary>
    /// Removes an entity that stands at exactly <paramref name="highestSequence"/>: events, snapshots, and its place in the index. That it was there, and its highest sequence number,
    /// stay known (<see cref="IEntityIndex.RemovedAsync"/>): a writer that knew it cannot write on, and one that begins it anew goes on counting, at the newest place of the index.
    /// </summary>
    /// <returns>False where it stands elsewhere, is not there, or was removed already.</returns>
    Task<bool> RemoveAsync(string persistenceId, long highestSequence);

    /// <summary>Forgets that a removed entity was ever there. Without effect on one that is there.</summary>
    Task ForgetRemovedAsync(string persistenceId);
}
