using AgentMesh.Journal.Sqlite;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>One reading connection with its prepared statements; one caller at a time.</summary>
internal sealed class JournalReader : IDisposable
{
    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _entity;
    private readonly Statement _events;
    private readonly Statement _snapshot;
    private readonly Statement _entities;
    private readonly Statement _nextManifest;
    private readonly Statement _byManifest;

    public JournalReader(string path)
    {
        _path = path;
        _connection = SqliteConnections.OpenReader(path);
        _begin = new Statement(_connection, "BEGIN");
        _end = new Statement(_connection, "COMMIT");
        _entity = new Statement(_connection, "SELECT entity_key, highest_sequence, last_event_sequence, deleted_to FROM entities WHERE persistence_id = ?1");
        _events = new Statement(_connection, """
            SELECT ordering, sequence_nr, previous_sequence, epoch, serializer_id, manifest, payload, writer_guid, timestamp, checksum
            FROM events WHERE entity_key = ?1 AND sequence_nr BETWEEN ?2 AND ?3 ORDER BY sequence_nr LIMIT ?4
            """);
        _snapshot = new Statement(_connection, """
            SELECT sequence_nr, timestamp, serializer_id, manifest, payload, checksum FROM snapshots
            WHERE persistence_id = ?1 AND sequence_nr BETWEEN ?2 AND ?3 AND timestamp BETWEEN ?4 AND ?5 ORDER BY sequence_nr DESC LIMIT 1
            """);
        _entities = new Statement(_connection, """
            SELECT entity_key, persistence_id, highest_sequence, last_manifest, first_at, last_at FROM entities
            WHERE category = ?1 AND entity_key < ?2 AND substr(persistence_id, 1, ?3) = ?4 ORDER BY entity_key DESC LIMIT ?5
            """);
        _nextManifest = new Statement(_connection, "SELECT min(last_manifest) FROM entities WHERE category = ?1 AND last_manifest > ?2");
        _byManifest = new Statement(_connection, """
            SELECT entity_key, persistence_id, highest_sequence, last_manifest, first_at, last_at FROM entities
            WHERE category = ?1 AND last_manifest = ?2 AND entity_key > ?3 AND substr(persistence_id, 1, ?4) = ?5 ORDER BY entity_key LIMIT ?6
            """);
    }

    public long HighestSequence(string persistenceId)
    {
        try
        {
            return _entity.Bind(persistenceId).Step() ? _entity.GetInt64(1) : 0;
        }
        finally
        {
            _entity.Reset();
        }
    }

    /// <summary>Replays within one read transaction and proves that no stored event of the range is missing.</summary>
    public void Replay(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation)
    {
        if (max <= 0 || from > to)
        {
            return;
        }

        _begin.Execute();
        try
        {
            if (!_entity.Bind(persistenceId).Step())
            {
                return;
            }

            long key = _entity.GetInt64(0);
            long lastEvent = _entity.GetInt64(2);
            long floor = Math.Max(from - 1, _entity.GetInt64(3));
            long count = 0;
            long reached = floor;
            _events.Bind(key).Bind(floor + 1).Bind(to).Bind(max);
            while (_events.Step())
            {
                cancellation.ThrowIfCancellationRequested();
                EventRecord record = new(
                    _events.GetInt64(1), (int)_events.GetInt64(4), _events.GetText(5), _events.GetBlob(6), _events.GetText(7), _events.GetInt64(8));
                long previous = _events.GetInt64(2);
                long epoch = _events.GetInt64(3);
                if (Checksums.OfEvent(persistenceId, record, previous, epoch) != _events.GetInt64(9))
                {
                    throw Checksums.Damaged(_path, $"event {record.SequenceNr} of {persistenceId} does not match its checksum");
                }

                if (count == 0 ? previous > floor : previous != reached)
                {
                    throw Checksums.Damaged(_path, $"event {previous} of {persistenceId} is missing");
                }

                reached = record.SequenceNr;
                count++;
                callback(new StoredEvent(
                    _events.GetInt64(0), persistenceId, record.SequenceNr, epoch, record.SerializerId, record.Manifest, record.Payload, record.WriterGuid, record.Timestamp));
            }

            if (count < max && lastEvent > floor && lastEvent <= to && reached != lastEvent)
            {
                throw Checksums.Damaged(_path, $"event {lastEvent} of {persistenceId} is missing");
            }
        }
        finally
        {
            _events.Reset();
            _entity.Reset();
            _end.Execute();
        }
    }

    public StoredSnapshot? FindSnapshot(string persistenceId, SnapshotBounds bounds)
    {
        try
        {
            if (!_snapshot.Bind(persistenceId).Bind(bounds.MinSequenceNr).Bind(bounds.MaxSequenceNr).Bind(bounds.MinTimestamp).Bind(bounds.MaxTimestamp).Step())
            {
                return null;
            }

            StoredSnapshot snapshot = new(
                persistenceId, _snapshot.GetInt64(0), _snapshot.GetInt64(1), (int)_snapshot.GetInt64(2), _snapshot.GetText(3), _snapshot.GetBlob(4));
            return Checksums.OfSnapshot(snapshot) == _snapshot.GetInt64(5)
                ? snapshot
                : throw Checksums.Damaged(_path, $"snapshot {snapshot.SequenceNr} of {persistenceId} does not match its checksum");
        }
        finally
        {
            _snapshot.Reset();
        }
    }

    public EntityPage NewestFirst(string category, string prefix, long? before, int limit)
    {
        try
        {
            _entities.Bind(category).Bind(before ?? long.MaxValue).Bind(prefix.Length).Bind(prefix).Bind(limit);
            List<EntitySummary> found = ReadEntities(_entities);
            return new EntityPage(found, found.Count == limit ? found[^1].Key : null);
        }
        finally
        {
            _entities.Reset();
        }
    }

    /// <summary>Visits the distinct last manifests one index step each, and reads only the entities of those that are not closed.</summary>
    public List<EntitySummary> WithOpenEnd(string prefix, IReadOnlySet<string> closedManifests, int limit, Func<string, bool>? wanted = null)
    {
        string category = JournalSchema.CategoryOf(prefix);
        List<EntitySummary> found = [];
        string manifest = string.Empty;
        while (found.Count < limit && NextManifest(category, manifest) is { } next)
        {
            manifest = next;
            if (!closedManifests.Contains(manifest))
            {
                try
                {
                    _byManifest.Bind(category).Bind(manifest).Bind(0).Bind(prefix.Length).Bind(prefix).Bind(wanted is null ? limit - found.Count : long.MaxValue);
                    found.AddRange(ReadEntities(_byManifest, limit - found.Count, wanted));
                }
                finally
                {
                    _byManifest.Reset();
                }
            }
        }

        return found;
    }

    public void Dispose()
    {
        foreach (Statement statement in (Statement[])[_begin, _end, _entity, _events, _snapshot, _entities, _nextManifest, _byManifest])
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private string? NextManifest(string category, string after)
    {
        try
        {
            string next = _nextManifest.Bind(category).Bind(after).Step() ? _nextManifest.GetText(0) : string.Empty;
            return next.Length == 0 ? null : next;
        }
        finally
        {
            _nextManifest.Reset();
        }
    }

    private static List<EntitySummary> ReadEntities(Statement rows, int max = int.MaxValue, Func<string, bool>? wanted = null)
    {
        List<EntitySummary> found = [];
        while (found.Count < max && rows.Step())
        {
            string id = rows.GetText(1);
            if (wanted is null || wanted(id))
            {
                found.Add(new EntitySummary(rows.GetInt64(0), id, rows.GetInt64(2), rows.GetText(3), rows.GetInt64(4), rows.GetInt64(5)));
            }
        }

        return found;
    }
}
