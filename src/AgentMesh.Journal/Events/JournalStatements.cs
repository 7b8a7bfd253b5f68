using AgentMesh.Journal.Sqlite;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>The writer's prepared statements; used by the writer thread alone.</summary>
internal sealed class JournalStatements : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly List<Statement> _all = [];
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _bump;

    public JournalStatements(SqliteConnection connection)
    {
        _connection = connection;
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _bump = Prepare("UPDATE meta SET value = value + 1 WHERE key = 'commit_nr' RETURNING value");
        FindEntity = Prepare($"SELECT entity_key, highest_sequence, last_event_sequence, epoch, category = '{JournalSchema.Removed}' FROM entities WHERE persistence_id = ?1");
        AddEntity = Prepare("""
            INSERT INTO entities (persistence_id, category, highest_sequence, last_event_sequence, deleted_to, epoch, last_manifest, first_at, last_at)
            VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8) RETURNING entity_key
            """);
        AdvanceEntity = Prepare("""
            UPDATE entities SET highest_sequence = ?2, last_event_sequence = ?3, epoch = ?4, last_manifest = ?5, last_at = ?6 WHERE entity_key = ?1
            """);
        TouchEntity = Prepare("UPDATE entities SET highest_sequence = ?2, epoch = ?3 WHERE entity_key = ?1");
        AddEvent = Prepare("""
            INSERT INTO events (entity_key, sequence_nr, previous_sequence, epoch, serializer_id, manifest, payload, writer_guid, timestamp, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """);
        DeleteEvents = Prepare("DELETE FROM events WHERE entity_key = ?1 AND sequence_nr <= ?2");
        MarkDeleted = Prepare("UPDATE entities SET deleted_to = max(deleted_to, ?2) WHERE entity_key = ?1");
        AddSnapshot = Prepare("""
            INSERT OR REPLACE INTO snapshots (persistence_id, sequence_nr, timestamp, serializer_id, manifest, payload, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """);
        DeleteSnapshots = Prepare("""
            DELETE FROM snapshots WHERE persistence_id = ?1 AND sequence_nr BETWEEN ?2 AND ?3 AND timestamp BETWEEN ?4 AND ?5
            """);
        RemoveEntity = Prepare($"UPDATE entities SET category = '{JournalSchema.Removed}', last_manifest = '', deleted_to = highest_sequence, last_at = ?2 WHERE entity_key = ?1");
        DropEntity = Prepare("DELETE FROM entities WHERE entity_key = ?1");
        NextEpoch = Prepare("UPDATE meta SET value = value + 1 WHERE key = 'epoch' RETURNING value");
    }

    public Statement FindEntity { get; }

    public Statement AddEntity { get; }

    public Statement AdvanceEntity { get; }

    public Statement TouchEntity { get; }

    public Statement AddEvent { get; }

    public Statement DeleteEvents { get; }

    public Statement MarkDeleted { get; }

    public Statement AddSnapshot { get; }

    public Statement DeleteSnapshots { get; }

    public Statement RemoveEntity { get; }

    public Statement DropEntity { get; }

    public Statement NextEpoch { get; }

    public void Begin() => _begin.Execute();

    /// <returns>The number of the commit, for the acknowledgement file.</returns>
    public long Commit()
    {
        long number = _bump.ExecuteInt64();
        _commit.Execute();
        return number;
    }

    public void RollbackQuietly()
    {
        try
        {
            SqliteConnections.Execute(_connection, "ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself, as it does for some errors.
        }
    }

    public void Dispose()
    {
        foreach (Statement statement in _all)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private Statement Prepare(string sql)
    {
        Statement statement = new(_connection, sql);
        _all.Add(statement);
        return statement;
    }
}
