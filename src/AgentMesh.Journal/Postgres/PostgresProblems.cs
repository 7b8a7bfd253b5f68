using System.Net.Sockets;
using AgentMesh.Errors;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>What a failure of the database means to the user of a pool. The texts name the place, never the connection string.</summary>
internal static class PostgresProblems
{
    public static bool IsOne(Exception error) => error is NpgsqlException or SocketException or IOException or TimeoutException or ObjectDisposedException or InvalidOperationException;

    /// <summary>
    /// Asks once more where a connection from before was broken, as all are after a restart of the database. Only for what may be asked twice.
    /// </summary>
    public static async Task<T> OverFreshAsync<T>(NpgsqlDataSource source, Func<Task<T>> ask, Func<bool>? mayRepeat = null)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (NpgsqlException stale) when (IsBroken(stale) && mayRepeat?.Invoke() != false)
        {
            source.Clear();
        }

        return await ask().ConfigureAwait(false);
    }

    /// <summary>The connection ended, and not for what was asked on it.</summary>
    public static bool IsBroken(NpgsqlException error) => error is PostgresException ended ? ended.SqlState[..2] is "57" or "08" : error.InnerException is IOException or SocketException;

    /// <summary>Host, port and database; nothing that is secret.</summary>
    /// <exception cref="MeshException"><c>AM0454</c></exception>
    public static string PlaceOf(string connectionString)
    {
        try
        {
            NpgsqlConnectionStringBuilder parts = new(connectionString);
            return string.IsNullOrEmpty(parts.Host)
                ? throw new ArgumentException("it names no Host")
                : $"database {parts.Database ?? parts.Username ?? "(default)"} on {parts.Host}:{parts.Port}";
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidCastException or OverflowException or KeyNotFoundException)
        {
            // The message of the parser may hold a part of the string.
            throw new MeshException(JournalErrors.BadConnection, "the connection string of the pool cannot be read", "it has the form Host=…;Database=…;Username=…;Password=…");
        }
    }

    public static MeshException Unreachable(Exception error, string place) => error switch
    {
        MeshException known => known,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } full => new MeshException(
            JournalErrors.DiskFull, $"no room left for {place}: {full.MessageText}", "free some space there; the node goes on by itself when there is room", full),
        PostgresException refused => new MeshException(JournalErrors.DatabaseUnreachable, $"{place}: {refused.MessageText} (SQLSTATE {refused.SqlState})", NextOf(refused), refused),
        TimeoutException or OperationCanceledException => new MeshException(JournalErrors.DatabaseUnreachable, $"{place} did not answer in time", "check the database and the way to it", error),
        _ => new MeshException(JournalErrors.DatabaseUnreachable, $"{place}: {error.Message}", "check that it runs and that this node can reach it", error),
    };

    /// <summary>The database refused the transaction: nothing of it is stored.</summary>
    public static MeshException NotStored(Exception error, string place) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } full => new MeshException(
            JournalErrors.DiskFull, $"no room left for {place}; nothing was stored", "free some space there; the node goes on by itself when there is room", full),
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } standby => new MeshException(
            JournalErrors.ReadOnly, $"{place} takes no writes: it is a standby or read-only; nothing was stored", "point the pool at the primary server", standby),
        _ => new MeshException(Unreachable(error, place).Code, Unreachable(error, place).Message + "; nothing was stored", "see 'agentmesh doctor'", error),
    };

    /// <summary>The commit was sent, and its answer did not come.</summary>
    public static MeshException Uncertain(Exception error, string place) =>
        new(JournalErrors.StorageFailed, $"{place}: the connection was lost while a write was committed; it may be stored", "the next recovery knows; see 'agentmesh doctor'", error);

    private static string NextOf(PostgresException refused) => refused.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => "check user and password in the connection string of the pool",
        PostgresErrorCodes.InvalidCatalogName => "create the database, or name another in the connection string of the pool",
        _ => "see the log of the database",
    };
}
