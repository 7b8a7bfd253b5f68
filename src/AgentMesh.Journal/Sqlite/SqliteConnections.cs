using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AgentMesh.Journal.Sqlite;

/// <summary>Opens connections with the settings that the promises rest on.</summary>
internal static class SqliteConnections
{
    // SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE (sqlite3.h)
    private const int NoCheckpointOnClose = 1006;

    public static SqliteConnection OpenWriter(string path)
    {
        SqliteConnection connection = Open(path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            // A file that is refused must stay as it was found: closing would otherwise copy the readable part of the log and delete the rest.
            KeepLogOnClose(connection, true);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static SqliteConnection OpenReader(string path)
    {
        SqliteConnection connection = Open(path, SqliteOpenMode.ReadWrite);
        try
        {
            Execute(connection, "PRAGMA query_only = 1");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static void KeepLogOnClose(SqliteConnection connection, bool keep) =>
        raw.sqlite3_db_config(connection.Handle, NoCheckpointOnClose, keep ? 1 : 0, out _);

    public static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Every caller passes a constant.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Every caller passes a constant.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        SqliteLibrary.EnsureLoaded();
        SqliteConnectionStringBuilder builder = new() { DataSource = path, Mode = mode, Pooling = false, Cache = SqliteCacheMode.Private };
        SqliteConnection connection = new(builder.ConnectionString) { DefaultTimeout = 5 };
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA busy_timeout = 5000");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
