using System.Data.Common;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>The server of a pool, and the connections of this process to it for events and leases.</summary>
internal sealed class PostgresDatabase : IPoolDatabase
{
    /// <summary>Of a device in the name of a session, which has room for 63.</summary>
    private const int DeviceCharsMax = 40;

    private readonly string _pool;
    private readonly NpgsqlDataSource _writes;
    private readonly NpgsqlDataSource _leases;
    private readonly NpgsqlDataSource _readers;

    /// <exception cref="Errors.MeshException"><c>AM0454</c>: the connection string cannot be read.</exception>
    public PostgresDatabase(PostgresSettings settings)
    {
        _pool = settings.Pool;
        Place = PostgresProblems.PlaceOf(settings.ConnectionString);

        // Npgsql 10.0.0 loses its place in the answers when a statement fails in a batch that it prepares by itself: the writer prepares its own.
        _writes = Source(settings, "writer", 4, NoIdling(settings), autoPrepare: 0);
        _leases = Source(settings, "leases", 4, $"-c lock_timeout={(int)settings.Lease.TotalMilliseconds}");
        _readers = Source(settings, "readers", settings.Readers, "-c default_transaction_read_only=on");
        Leases = new PostgresLeases(settings, _leases, Place);
        Reads = new PostgresReads(_readers, Place);
    }

    public string Place { get; }

    public IPoolLeases Leases { get; }

    public IPoolReads Reads { get; }

    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => PoolMembers.ReadAsync(_readers, _pool, Place, cancellation);

    /// <summary>A writer that was stopped in the middle of a transaction must not keep the next owner waiting for its locks.</summary>
    public static string NoIdling(PostgresSettings settings) => $"-c idle_in_transaction_session_timeout={(int)(settings.Lease / 2).TotalMilliseconds}";

    /// <param name="use">Stands in the name of its sessions, together with the device: <see cref="PostgresFenceStep"/> finds those of a member that is gone by it.</param>
    /// <param name="options">As on the command line of the server.</param>
    public static NpgsqlDataSource Source(PostgresSettings settings, string use, int connections, string options, int autoPrepare = 32)
    {
        NpgsqlConnectionStringBuilder parts = new(settings.ConnectionString)
        {
            ApplicationName = $"agentmesh {use} {(settings.Device.Length > DeviceCharsMax ? settings.Device[..DeviceCharsMax] : settings.Device)}",
            MaxPoolSize = connections,
            MinPoolSize = 0,
            MaxAutoPrepare = autoPrepare,
            AutoPrepareMinUsages = 2,
            Multiplexing = false,
            Enlist = false,
            IncludeErrorDetail = false,
            PersistSecurityInfo = false,
            CommandTimeout = (int)Math.Ceiling(settings.AppendTimeout.TotalSeconds),
            Timeout = (int)Math.Clamp(Math.Ceiling(settings.Lease.TotalSeconds), 1, 15),
        };
        parts.Options = $"{parts.Options} {options}".Trim();
        if (!NamesGss(settings.ConnectionString))
        {
            parts.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        return NpgsqlDataSource.Create(parts);
    }

    /// <summary>Whether somebody asked for Kerberos. Where nobody does it is not tried: to try takes a round trip of each connection, and machines without its library say so on standard error.</summary>
    private static bool NamesGss(string connectionString)
    {
        DbConnectionStringBuilder words = new() { ConnectionString = connectionString };
        return words.ContainsKey("GSS Encryption Mode") || words.ContainsKey("GssEncryptionMode") || Environment.GetEnvironmentVariable("PGGSSENCMODE") is { Length: > 0 };
    }

    public IPoolWrites OpenWrites() => new PostgresWrites(_writes);

    public async ValueTask DisposeAsync()
    {
        await _writes.DisposeAsync().ConfigureAwait(false);
        await _leases.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }
}
