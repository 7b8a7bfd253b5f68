using AgentMesh.Errors;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>The tables of a pool's database and how they come to be; <c>docs/journal-format.md</c> is the specification.</summary>
internal static class PostgresSchema
{
    /// <summary>Of all programs on the database one at a time changes the tables: "AMJ1" in ASCII.</summary>
    private const long MigrationLock = 0x414D4A31;

    /// <summary>Step n leads from format n to n + 1. A step that was released never changes.</summary>
    private static readonly string[] Steps = [PostgresSchemaSteps.Journal, PostgresSchemaSteps.Output, PostgresRemovalStep.Sql, PostgresArtifactStep.Sql, PostgresFenceStep.Sql];

    public static int FormatVersion => Steps.Length;

    /// <summary>Creates the tables, or brings those of an older version up to date. What exists is left as it is when it is newer.</summary>
    /// <exception cref="MeshException"><c>AM0451</c>: a newer version, or no permission to create the tables.</exception>
    public static Task MigrateAsync(NpgsqlDataSource source, string place, CancellationToken cancellation) => MigrateAsync(source, place, FormatVersion, cancellation);

    /// <param name="format">Where an older version of this program stops.</param>
    internal static async Task MigrateAsync(NpgsqlDataSource source, string place, int format, CancellationToken cancellation)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            long version = await VersionAsync(connection, cancellation).ConfigureAwait(false);
            if (version == format)
            {
                return;
            }

            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                try
                {
                    await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({MigrationLock})", cancellation).ConfigureAwait(false);
                    version = await VersionAsync(connection, cancellation).ConfigureAwait(false);
                    if (version > format)
                    {
                        throw new MeshException(JournalErrors.DatabaseFormat, $"{place} has tables of format {version}; this version knows up to {format}", "update this node to the version of the other members");
                    }

                    for (; version < format; version++)
                    {
                        await ExecuteAsync(connection, Steps[version], cancellation).ConfigureAwait(false);
                        await ExecuteAsync(connection, $"INSERT INTO agentmesh.meta VALUES ('format', {version + 1}) ON CONFLICT (key) DO UPDATE SET value = excluded.value", cancellation).ConfigureAwait(false);
                    }
                }
                catch (PostgresException denied) when (denied.SqlState is PostgresErrorCodes.InsufficientPrivilege)
                {
                    throw new MeshException(
                        JournalErrors.DatabaseFormat, $"{place}: the user may not create the tables ({denied.MessageText})", "let the user own the database, or create the schema 'agentmesh' for it", denied);
                }

                await transaction.CommitAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>0 where there are no tables yet.</summary>
    private static async Task<long> VersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // Read from the catalogue itself: to_regclass answers from a cache that does not hear of what was created while this transaction waited for its lock.
        NpgsqlCommand exists = new("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'agentmesh' AND c.relname = 'meta')", connection);
        await using (exists.ConfigureAwait(false))
        {
            if (await exists.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not true)
            {
                return 0;
            }
        }

        NpgsqlCommand version = new("SELECT value FROM agentmesh.meta WHERE key = 'format'", connection);
        await using (version.ConfigureAwait(false))
        {
            return await version.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is long value ? value : 0;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        NpgsqlCommand command = new(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
    }
}
