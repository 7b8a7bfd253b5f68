using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Journal.Sqlite;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>
/// Opens or creates the database file and refuses one that it cannot vouch for. Nothing is changed in a file that is refused.
/// </summary>
internal static class JournalOpener
{
    // Up to here the indexes are compared with the tables too, which quick_check leaves out; it costs about 10 ms a MiB.
    private const long FullCheckBytesMax = 16L * 1024 * 1024;

    public static SqliteConnection Open(EventStoreSettings settings, AckFile ack)
    {
        string path = settings.Path;
        try
        {
            bool isNew = !File.Exists(path) || new FileInfo(path).Length == 0;
            if (isNew && ack.Acknowledged > 0)
            {
                throw Checksums.Damaged(path, $"the file is missing or empty, but {ack.Acknowledged} commits were acknowledged");
            }

            if (WalInspector.FindDamage(path + "-wal") is { } position)
            {
                throw Checksums.Damaged(path + "-wal", $"acknowledged commits stand behind a damaged place at byte {position}");
            }

            SqliteConnection connection = SqliteConnections.OpenWriter(path);
            try
            {
                if (isNew)
                {
                    Create(connection, path);
                }
                else
                {
                    Verify(connection, settings, ack);
                }

                Configure(connection, settings);
                SqliteConnections.KeepLogOnClose(connection, false);
                return connection;
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.ToMeshException(e, path);
        }
    }

    private static void Create(SqliteConnection connection, string path)
    {
        SqliteConnections.Execute(connection, $"PRAGMA page_size = {JournalSchema.PageBytes}");
        SqliteConnections.Execute(connection, "PRAGMA journal_mode = WAL");
        SqliteConnections.Execute(connection, "PRAGMA synchronous = FULL");
        SqliteConnections.Execute(
            connection,
            $"BEGIN IMMEDIATE; {JournalSchema.Create} PRAGMA application_id = {JournalSchema.ApplicationId}; PRAGMA user_version = {JournalSchema.FormatVersion}; COMMIT");
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Verify(SqliteConnection connection, EventStoreSettings settings, AckFile ack)
    {
        string path = settings.Path;
        long application = (long)SqliteConnections.Scalar(connection, "PRAGMA application_id")!;
        long tables = (long)SqliteConnections.Scalar(connection, "SELECT count(*) FROM sqlite_master")!;
        if (application != JournalSchema.ApplicationId)
        {
            throw tables == 0
                ? Checksums.Damaged(path, "the file holds no tables")
                : new MeshException(JournalErrors.NotAJournal, $"{path} is the database of another program", "choose another data directory");
        }

        long version = (long)SqliteConnections.Scalar(connection, "PRAGMA user_version")!;
        if (version > JournalSchema.FormatVersion)
        {
            throw new MeshException(
                JournalErrors.NewerFormat,
                $"{path} has format {version}, this program knows {JournalSchema.FormatVersion}",
                "start it with the version of AgentMesh that wrote it, or a newer one");
        }

        long size = new FileInfo(path).Length;
        if (size <= settings.CheckBytesMax)
        {
            string check = size <= FullCheckBytesMax ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";
            string verdict = (string)SqliteConnections.Scalar(connection, check)!;
            if (verdict != "ok")
            {
                throw Checksums.Damaged(path, verdict.ReplaceLineEndings(" "));
            }
        }

        long commits = (long?)SqliteConnections.Scalar(connection, "SELECT value FROM meta WHERE key = 'commit_nr'") ?? 0;
        if (commits < ack.Acknowledged)
        {
            throw new MeshException(
                JournalErrors.Damaged,
                $"{path} holds {commits} commits, but {ack.Acknowledged} were acknowledged: its end is missing or damaged",
                $"restore the data directory from a backup; to go on with what is left and accept the loss, remove {path}.ack");
        }
    }

    private static void Configure(SqliteConnection connection, EventStoreSettings settings)
    {
        string mode = (string)SqliteConnections.Scalar(connection, "PRAGMA journal_mode = WAL")!;
        if (mode != "wal")
        {
            throw new MeshException(
                JournalErrors.StorageFailed, $"{settings.Path}: the file system has no write-ahead log for SQLite (mode {mode})", "put the data directory on a local file system");
        }

        SqliteConnections.Execute(connection, "PRAGMA synchronous = FULL");
        SqliteConnections.Execute(connection, "PRAGMA wal_autocheckpoint = 2000");
        SqliteConnections.Execute(connection, "PRAGMA journal_size_limit = 33554432");
        SqliteConnections.Execute(connection, "PRAGMA cache_size = -16384");
        SqliteConnections.Execute(connection, "PRAGMA temp_store = MEMORY");
        if (settings.FileBytesMax > 0)
        {
            SqliteConnections.Execute(connection, $"PRAGMA max_page_count = {Math.Max(32, settings.FileBytesMax / JournalSchema.PageBytes)}");
        }

        // While another program holds the file (a backup, a query by hand), a write waits for it as long as it may take.
        SqliteConnections.Execute(connection, $"PRAGMA busy_timeout = {(int)Math.Min(settings.AppendTimeout.TotalMilliseconds, int.MaxValue)}");

        // The first write lock proves that the file can be written at all.
        SqliteConnections.Execute(connection, "BEGIN IMMEDIATE; ROLLBACK");
    }
}
