namespace Akka.Persistence.Snapshot;

/// <summary>One stored snapshot.</summary>
public class SnapshotEntry
{
    public string Id { get; set; } = string.Empty;

    public string PersistenceId { get; set; } = string.Empty;

    public long SequenceNr { get; set; }

    /// <summary>UTC, in ticks.</summary>
    public long Timestamp { get; set; }

    public object Snapshot { get; set; } = null!;
}

/// <summary>Keeps snapshots in memory.</summary>
public class MemorySnapshotStore : SnapshotStore
{
    protected virtual List<SnapshotEntry> Snapshots { get; } = [];

    protected override Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        SnapshotEntry? found = Snapshots.Where(s => s.PersistenceId == persistenceId && criteria.IsMatch(MetadataOf(s))).MaxBy(s => s.SequenceNr);
        return Task.FromResult(found is null ? null : new SelectedSnapshot(MetadataOf(found), found.Snapshot));
    }

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        Snapshots.RemoveAll(s => s.PersistenceId == metadata.PersistenceId && s.SequenceNr == metadata.SequenceNr);
        Snapshots.Add(new SnapshotEntry
        {
            Id = $"{metadata.PersistenceId}_{metadata.SequenceNr}",
            PersistenceId = metadata.PersistenceId,
            SequenceNr = metadata.SequenceNr,
            Timestamp = metadata.Timestamp.Ticks,
            Snapshot = snapshot,
        });
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        Snapshots.RemoveAll(s =>
            s.PersistenceId == metadata.PersistenceId && s.SequenceNr == metadata.SequenceNr
            && (metadata.Timestamp == DateTime.MinValue || metadata.Timestamp.Ticks == s.Timestamp));
        return Task.CompletedTask;
    }

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        Snapshots.RemoveAll(s => s.PersistenceId == persistenceId && criteria.IsMatch(MetadataOf(s)));
        return Task.CompletedTask;
    }

    private static SnapshotMetadata MetadataOf(SnapshotEntry entry) => new(entry.PersistenceId, entry.SequenceNr, new DateTime(entry.Timestamp, DateTimeKind.Utc));
}

/// <summary>Keeps no snapshots: finds none, and fails to save.</summary>
public sealed class NoSnapshotStore : SnapshotStore
{
    protected override Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria) => Task.FromResult<SelectedSnapshot?>(null);

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot) => Task.FromException(NoStore());

    protected override Task DeleteAsync(SnapshotMetadata metadata) => Task.FromException(NoStore());

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) => Task.FromException(NoStore());

    private static NoSnapshotStoreException NoStore() => new("no snapshot store is configured; set akka.persistence.snapshot-store.plugin");

    public class NoSnapshotStoreException : Exception
    {
        public NoSnapshotStoreException()
        {
        }

        public NoSnapshotStoreException(string message)
            : base(message)
        {
        }

        public NoSnapshotStoreException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }
}
