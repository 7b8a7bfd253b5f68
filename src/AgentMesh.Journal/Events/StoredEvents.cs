using AgentMesh.Errors;

namespace AgentMesh.Journal;

/// <summary>One serialized event to append.</summary>
/// <param name="SequenceNr">Position in the entity's stream, from 1.</param>
/// <param name="SerializerId">Identifier of the serializer that wrote <paramref name="Payload"/>.</param>
/// <param name="Manifest">The serializer's own name for the type; never a CLR name.</param>
/// <param name="Payload">Owned by the store from the call on; do not change it.</param>
/// <param name="WriterGuid">Identifies the incarnation of the writing actor.</param>
/// <param name="Timestamp">Milliseconds since 1970-01-01 UTC.</param>
public readonly record struct EventRecord(long SequenceNr, int SerializerId, string Manifest, byte[] Payload, string WriterGuid, long Timestamp);

/// <summary>An event as it was read back, its checksum verified.</summary>
public readonly record struct StoredEvent(long Ordering, string PersistenceId, long SequenceNr, long Epoch, int SerializerId, string Manifest, byte[] Payload, string WriterGuid, long Timestamp);

/// <summary>
/// One all-or-nothing append. The store takes it only when the entity stands at exactly <paramref name="PreviousSequence"/> and no writer of a
/// newer epoch has appended to it.
/// </summary>
/// <param name="PersistenceId">The entity, e.g. <c>job/HOME/ULID</c>.</param>
/// <param name="PreviousSequence">Highest sequence number that the writer knows, 0 for a new entity.</param>
/// <param name="LastSequence">Highest sequence number after the append. May be beyond the last event: numbers that were used up without an event.</param>
/// <param name="Events">Ascending, within (<paramref name="PreviousSequence"/>, <paramref name="LastSequence"/>]; may be empty.</param>
/// <param name="Epoch">Fencing token of the writer, see <see cref="SqliteEventStore.BeginEpochAsync"/>.</param>
public sealed record EventAppend(string PersistenceId, long PreviousSequence, long LastSequence, IReadOnlyList<EventRecord> Events, long Epoch)
{
    private const int PersistenceIdCharsMax = 1024;

    internal void Check()
    {
        Invariant.Check(PersistenceId.Length is > 0 and <= PersistenceIdCharsMax && !PersistenceId.Contains('\0', StringComparison.Ordinal));
        Invariant.Check(PreviousSequence >= 0 && LastSequence > PreviousSequence);
        long previous = PreviousSequence;
        for (int i = 0; i < Events.Count; i++)
        {
            Invariant.Check(Events[i].SequenceNr > previous && Events[i].SequenceNr <= LastSequence);
            previous = Events[i].SequenceNr;
        }
    }
}

public enum AppendStatus
{
    /// <summary>On disk.</summary>
    Stored,

    /// <summary>Not stored: the entity stands at another sequence number than the writer believes.</summary>
    WrongSequence,

    /// <summary>Not stored: a writer with a newer epoch has appended to the entity.</summary>
    OlderEpoch,
}

/// <param name="Status">What became of the append.</param>
/// <param name="HighestSequence">Where the entity stands now.</param>
/// <param name="Epoch">The newest epoch that has written to the entity.</param>
public readonly record struct AppendResult(AppendStatus Status, long HighestSequence, long Epoch);

/// <summary>A serialized snapshot.</summary>
public sealed record StoredSnapshot(string PersistenceId, long SequenceNr, long Timestamp, int SerializerId, string Manifest, byte[] Payload);

/// <summary>Selects snapshots; both bounds inclusive, timestamps in milliseconds since 1970-01-01 UTC.</summary>
public readonly record struct SnapshotBounds(long MinSequenceNr, long MaxSequenceNr, long MinTimestamp, long MaxTimestamp)
{
    public static SnapshotBounds All { get; } = new(0, long.MaxValue, 0, long.MaxValue);
}

/// <summary>What the index knows of an entity without reading its events.</summary>
/// <param name="Key">Grows with the time of the first event; the cursor of a page.</param>
/// <param name="PersistenceId">The entity.</param>
/// <param name="HighestSequence">Never decreases, deletion included.</param>
/// <param name="LastManifest">Manifest of the last event; empty when there never was one.</param>
/// <param name="FirstAt">Timestamp of the first event, milliseconds since 1970-01-01 UTC.</param>
/// <param name="LastAt">Timestamp of the last event, milliseconds since 1970-01-01 UTC.</param>
public sealed record EntitySummary(long Key, string PersistenceId, long HighestSequence, string LastManifest, long FirstAt, long LastAt);

/// <param name="Entities">At most as many as were asked for.</param>
/// <param name="Next">Pass it to the next call; null after the last page.</param>
public sealed record EntityPage(IReadOnlyList<EntitySummary> Entities, long? Next);
