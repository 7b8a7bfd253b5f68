using AgentMesh.Errors;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AgentMesh.Journal.Sqlite;

/// <summary>What SQLite's result codes mean to the user of a store.</summary>
internal static class SqliteErrors
{
    /// <summary>True where SQLite says by its code that the transaction is not, and will not be, in the file.</summary>
    public static bool IsCertainlyNotStored(SqliteException e) =>
        e.SqliteErrorCode is raw.SQLITE_FULL or raw.SQLITE_READONLY or raw.SQLITE_TOOBIG or raw.SQLITE_CONSTRAINT or raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    public static MeshException ToMeshException(SqliteException e, string path)
    {
        string detail = $"SQLite result {e.SqliteExtendedErrorCode}";
        return e.SqliteErrorCode switch
        {
            raw.SQLITE_FULL => new MeshException(
                JournalErrors.DiskFull, $"no room left for {path} ({detail}); nothing was stored", "free some space; the node goes on by itself when there is room", e),
            raw.SQLITE_CORRUPT => new MeshException(
                JournalErrors.Damaged, $"{path} is damaged ({detail})", "restore the data directory from a backup; see docs/errors/AM0402.md", e),
            raw.SQLITE_NOTADB => new MeshException(
                JournalErrors.NotAJournal, $"{path} is not a database ({detail})", "choose another data directory, or restore the file from a backup", e),
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_CANTOPEN or raw.SQLITE_AUTH => new MeshException(
                JournalErrors.ReadOnly, $"{path} cannot be written ({detail})", "give the user that runs the node write access to the data directory and the files in it", e),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new MeshException(
                JournalErrors.Locked, $"{path} is locked by another program ({detail})", "close the program that has the file open", e),
            _ => new MeshException(
                JournalErrors.StorageFailed, $"{path}: the storage failed ({detail}: {e.Message})", "check the disk and the system log", e),
        };
    }
}
