namespace AgentMesh.Journal.Events;

/// <summary>Format version 1 of the event store; <c>docs/journal-format.md</c> is the specification.</summary>
internal static class JournalSchema
{
    public const int FormatVersion = 1;

    // "AMJ1" in ASCII, PRAGMA application_id
    public const int ApplicationId = 0x414D4A31;

    public const int PageBytes = 4096;

    /// <summary>The category of entities that were removed. No id begins with it.</summary>
    public const string Removed = "(removed)";

    public const string Create = """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE entities (
            entity_key INTEGER PRIMARY KEY AUTOINCREMENT,
            persistence_id TEXT NOT NULL UNIQUE,
            category TEXT NOT NULL,
            highest_sequence INTEGER NOT NULL,
            last_event_sequence INTEGER NOT NULL,
            deleted_to INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            last_manifest TEXT NOT NULL,
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL
        );
        CREATE INDEX entities_by_category ON entities (category, entity_key);
        CREATE INDEX entities_by_manifest ON entities (category, last_manifest, entity_key);
        CREATE TABLE events (
            ordering INTEGER PRIMARY KEY AUTOINCREMENT,
            entity_key INTEGER NOT NULL,
            sequence_nr INTEGER NOT NULL,
            previous_sequence INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            serializer_id INTEGER NOT NULL,
            manifest TEXT NOT NULL,
            payload BLOB NOT NULL,
            writer_guid TEXT NOT NULL,
            timestamp INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            UNIQUE (entity_key, sequence_nr)
        );
        CREATE TABLE snapshots (
            persistence_id TEXT NOT NULL,
            sequence_nr INTEGER NOT NULL,
            timestamp INTEGER NOT NULL,
            serializer_id INTEGER NOT NULL,
            manifest TEXT NOT NULL,
            payload BLOB NOT NULL,
            checksum INTEGER NOT NULL,
            PRIMARY KEY (persistence_id, sequence_nr)
        );
        INSERT INTO meta (key, value) VALUES ('commit_nr', 0), ('epoch', 0);
        """;

    /// <summary>The part of a persistence id that the entity index groups by: everything before the first slash.</summary>
    public static string CategoryOf(string persistenceId)
    {
        int slash = persistenceId.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? string.Empty : persistenceId[..slash];
    }
}
