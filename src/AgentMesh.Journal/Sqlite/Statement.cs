using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AgentMesh.Journal.Sqlite;

/// <summary>
/// A prepared statement with positional parameters (<c>?1</c> ...). It stands on SQLite's own calls because a write is a handful of them and ADO.NET's
/// parameter objects would cost more than the statement. One thread at a time.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private int _next = 1;

    public Statement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(_database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    public Statement Bind(long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, _next++, value));
        return this;
    }

    public Statement Bind(string value)
    {
        Check(raw.sqlite3_bind_text(_statement, _next++, value));
        return this;
    }

    public Statement Bind(byte[] value)
    {
        // A null pointer would bind NULL.
        Check(value.Length == 0 ? raw.sqlite3_bind_zeroblob(_statement, _next++, 0) : raw.sqlite3_bind_blob(_statement, _next++, value));
        return this;
    }

    /// <summary>Runs a statement that returns no rows of interest.</summary>
    public void Execute()
    {
        try
        {
            Check(raw.sqlite3_step(_statement));
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Runs a statement that returns one number, to its end.</summary>
    public long ExecuteInt64()
    {
        try
        {
            long value = Step() ? GetInt64(0) : 0;
            while (Step())
            {
            }

            return value;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Moves to the next row; call <see cref="Reset"/> when done with a statement that is not read to its end.</summary>
    public bool Step()
    {
        int result = raw.sqlite3_step(_statement);
        Check(result);
        return result == raw.SQLITE_ROW;
    }

    public long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    public string GetText(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? string.Empty;

    public byte[] GetBlob(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    public void Reset()
    {
        _next = 1;
        _ = raw.sqlite3_reset(_statement);
        _ = raw.sqlite3_clear_bindings(_statement);
    }

    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return;
        }

        int extended = raw.sqlite3_extended_errcode(_database);
        throw new SqliteException(raw.sqlite3_errmsg(_database).utf8_to_string(), result & 0xFF, extended);
    }
}
