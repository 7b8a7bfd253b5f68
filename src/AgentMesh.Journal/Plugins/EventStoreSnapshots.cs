// The signatures that are overridden carry no nullability, so that they fit both engines.
#nullable disable annotations

using AgentMesh.Journal.Plugins;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Snapshot;

namespace AgentMesh.Journal;

/// <summary>An Akka.Persistence snapshot store on an event store; times are kept to the millisecond.</summary>
public abstract class EventStoreSnapshots<TStore> : SnapshotStore
    where TStore : IEventStore
{
    private readonly StoreLease<TStore> _lease;
    private readonly PayloadCodec _codec;

    private protected EventStoreSnapshots(StoreLease<TStore> lease)
    {
        _lease = lease;
        _codec = new PayloadCodec((ExtendedActorSystem)Context.System);
    }

    protected override async Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        StoredSnapshot found = await _lease.Store.FindSnapshotAsync(persistenceId, BoundsOf(criteria)).ConfigureAwait(false);
        return found is null
            ? null
            : new SelectedSnapshot(
                new SnapshotMetadata(persistenceId, found.SequenceNr, DateTimeOffset.FromUnixTimeMilliseconds(found.Timestamp).UtcDateTime),
                _codec.Read(found.SerializerId, found.Manifest, found.Payload));
    }

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        (int id, string manifest, byte[] bytes) = _codec.Write(snapshot);
        return _lease.Store.SaveSnapshotAsync(new StoredSnapshot(metadata.PersistenceId, metadata.SequenceNr, ToMilliseconds(metadata.Timestamp), id, manifest, bytes));
    }

    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        (long min, long max) = metadata.Timestamp == DateTime.MinValue ? (0, long.MaxValue) : (ToMilliseconds(metadata.Timestamp), ToMilliseconds(metadata.Timestamp));
        return _lease.Store.DeleteSnapshotsAsync(metadata.PersistenceId, new SnapshotBounds(metadata.SequenceNr, metadata.SequenceNr, min, max));
    }

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) => _lease.Store.DeleteSnapshotsAsync(persistenceId, BoundsOf(criteria));

    protected override void PostStop()
    {
        base.PostStop();
        _lease.Dispose();
    }

    private static SnapshotBounds BoundsOf(SnapshotSelectionCriteria criteria) => new(
        criteria.MinSequenceNr,
        criteria.MaxSequenceNr,
        criteria.MinTimestamp is { } min ? ToMilliseconds(min) : 0,
        criteria.MaxTimeStamp == DateTime.MaxValue ? long.MaxValue : ToMilliseconds(criteria.MaxTimeStamp));

    private static long ToMilliseconds(DateTime time) =>
        time == DateTime.MinValue ? 0 : new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)).ToUnixTimeMilliseconds();
}
