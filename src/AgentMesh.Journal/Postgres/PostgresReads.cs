using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using Npgsql;
using NpgsqlTypes;

namespace AgentMesh.Journal.Postgres;

/// <summary>Recoveries and queries, on connections of their own: they do not stop the writes.</summary>
internal sealed class PostgresReads(NpgsqlDataSource source, string place) : IPoolReads
{
    private const string EntityColumns = "SELECT entity_key, persistence_id, highest_sequence, last_manifest, first_at, last_at FROM agentmesh.entities";

    public Task<long> HighestSequenceAsync(string persistenceId, CancellationToken cancellation) => WithAsync(
        async connection =>
        {
            NpgsqlCommand command = new("SELECT highest_sequence FROM agentmesh.entities WHERE persistence_id = $1", connection);
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(Text(persistenceId));
                return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is long highest ? highest : 0;
            }
        },
        cancellation);

    public async Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation)
    {
        var events = new List<StoredEvent>();
        await ReplayAsync(persistenceId, from, long.MaxValue, max, events.Add, cancellation).ConfigureAwait(false);
        return events;
    }

    public Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation)
    {
        bool hasBegun = false;
        return WithAsync(
            async connection =>
            {
                NpgsqlCommand command = new(
                    """
                    SELECT n.last_event_sequence, n.deleted_to, e.sequence_nr, e.previous_sequence, e.epoch, e.serializer_id, e.manifest, e.payload, e.writer_guid, e.timestamp, e.checksum
                    FROM agentmesh.entities n LEFT JOIN agentmesh.events e ON e.entity_key = n.entity_key AND e.sequence_nr BETWEEN $2 AND $3
                    WHERE n.persistence_id = $1 ORDER BY e.sequence_nr LIMIT $4
                    """,
                    connection);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.Add(Text(persistenceId));
                    command.Parameters.Add(Number(from));
                    command.Parameters.Add(Number(to));
                    command.Parameters.Add(Number(max));
                    NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                    await using (rows.ConfigureAwait(false))
                    {
                        hasBegun = true;
                        await ReplayAsync(rows, persistenceId, from, to, max, callback, cancellation).ConfigureAwait(false);
                    }
                }

                return true;
            },
            cancellation,
            () => !hasBegun);
    }

    public Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation) => WithAsync(
        async connection =>
        {
            NpgsqlCommand command = new(
                """
                SELECT sequence_nr, timestamp, serializer_id, manifest, payload, checksum FROM agentmesh.snapshots
                WHERE persistence_id = $1 AND sequence_nr BETWEEN $2 AND $3 AND timestamp BETWEEN $4 AND $5 ORDER BY sequence_nr DESC LIMIT 1
                """,
                connection);
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(Text(persistenceId));
                command.Parameters.Add(Number(bounds.MinSequenceNr));
                command.Parameters.Add(Number(bounds.MaxSequenceNr));
                command.Parameters.Add(Number(bounds.MinTimestamp));
                command.Parameters.Add(Number(bounds.MaxTimestamp));
                NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                await using (rows.ConfigureAwait(false))
                {
                    if (!await rows.ReadAsync(cancellation).ConfigureAwait(false))
                    {
                        return null;
                    }

                    StoredSnapshot snapshot = new(persistenceId, rows.GetInt64(0), rows.GetInt64(1), rows.GetInt32(2), rows.GetString(3), rows.GetFieldValue<byte[]>(4));
                    return Checksums.OfSnapshot(snapshot) == rows.GetInt64(5) ? snapshot : throw Damaged($"snapshot {snapshot.SequenceNr} of {persistenceId} does not match its checksum");
                }
            }
        },
        cancellation);

    public Task<EntityPage> NewestFirstAsync(string prefix, bool isRemoved, long? before, int limit, CancellationToken cancellation)
    {
        (string category, string? home) = Split(prefix);
        category = isRemoved ? JournalSchema.Removed : category;
        return WithAsync(
            async connection =>
            {
                List<EntitySummary> found = await EntitiesAsync(
                    connection,
                    $"{EntityColumns} WHERE category = $1 {(home is null ? "" : "AND home = $5")} AND entity_key < $2 AND starts_with(persistence_id, $3) ORDER BY entity_key DESC LIMIT $4",
                    [Text(category), Number(before ?? long.MaxValue), Text(prefix), Number(limit), .. home is null ? [] : new[] { Text(home) }],
                    cancellation).ConfigureAwait(false);
                return new EntityPage(found, found.Count == limit ? found[^1].Key : null);
            },
            cancellation);
    }

    /// <summary>Visits the distinct last manifests one index step each, and reads only the entities of those that are not closed.</summary>
    public Task<IReadOnlyList<EntitySummary>> WithOpenEndAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, Func<string, bool>? wanted, CancellationToken cancellation)
    {
        (string category, string? home) = Split(prefix);
        string atHome = home is null ? "" : "AND home = $3";
        return WithAsync<IReadOnlyList<EntitySummary>>(
            async connection =>
            {
                List<EntitySummary> found = [];
                string manifest = string.Empty;
                while (found.Count < limit)
                {
                    NpgsqlCommand next = new($"SELECT min(last_manifest) FROM agentmesh.entities WHERE category = $1 AND last_manifest > $2 {atHome}", connection);
                    await using (next.ConfigureAwait(false))
                    {
                        next.Parameters.AddRange((NpgsqlParameter[])[Text(category), Text(manifest), .. home is null ? [] : new[] { Text(home) }]);
                        if (await next.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not string other)
                        {
                            break;
                        }

                        manifest = other;
                    }

                    if (!closedManifests.Contains(manifest))
                    {
                        found.AddRange(await EntitiesAsync(
                            connection,
                            $"{EntityColumns} WHERE category = $1 AND last_manifest = $2 {(home is null ? "" : "AND home = $5")} AND starts_with(persistence_id, $3) ORDER BY entity_key LIMIT $4",
                            [Text(category), Text(manifest), Text(prefix), Number(wanted is null ? limit - found.Count : long.MaxValue), .. home is null ? [] : new[] { Text(home) }],
                            cancellation,
                            limit - found.Count,
                            wanted).ConfigureAwait(false));
                    }
                }

                return found;
            },
            cancellation);
    }

    public static NpgsqlParameter Text(string value) => new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Number(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private async Task ReplayAsync(NpgsqlDataReader rows, string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation)
    {
        long count = 0, floor = 0, reached = 0, lastEvent = 0;
        while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
        {
            lastEvent = rows.GetInt64(0);
            floor = Math.Max(from - 1, rows.GetInt64(1));
            if (count == 0)
            {
                reached = floor;
            }

            if (await rows.IsDBNullAsync(2, cancellation).ConfigureAwait(false))
            {
                break;
            }

            EventRecord record = new(rows.GetInt64(2), rows.GetInt32(5), rows.GetString(6), rows.GetFieldValue<byte[]>(7), rows.GetString(8), rows.GetInt64(9));
            long previous = rows.GetInt64(3);
            long epoch = rows.GetInt64(4);
            if (Checksums.OfEvent(persistenceId, record, 0, 0) != rows.GetInt64(10))
            {
                throw Damaged($"event {record.SequenceNr} of {persistenceId} does not match its checksum");
            }

            if (count == 0 ? previous > floor : previous != reached)
            {
                throw Damaged($"event {previous} of {persistenceId} is missing");
            }

            reached = record.SequenceNr;
            count++;
            callback(new StoredEvent(0, persistenceId, record.SequenceNr, epoch, record.SerializerId, record.Manifest, record.Payload, record.WriterGuid, record.Timestamp));
        }

        if (count < max && lastEvent > floor && lastEvent <= to && reached != lastEvent)
        {
            throw Damaged($"event {lastEvent} of {persistenceId} is missing");
        }
    }

    private static async Task<List<EntitySummary>> EntitiesAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellation, int max = int.MaxValue, Func<string, bool>? wanted = null)
    {
        NpgsqlCommand command = new(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.AddRange(parameters);
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                List<EntitySummary> found = [];
                while (found.Count < max && await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    string id = rows.GetString(1);
                    if (wanted is null || wanted(id))
                    {
                        found.Add(new EntitySummary(rows.GetInt64(0), id, rows.GetInt64(2), rows.GetString(3), rows.GetInt64(4), rows.GetInt64(5)));
                    }
                }

                return found;
            }
        }
    }

    /// <summary>The home is looked up in the index where the prefix holds all of it.</summary>
    private static (string Category, string? Home) Split(string prefix) => prefix.Split('/') is [var category, var home, _, ..] ? (category, home) : (JournalSchema.CategoryOf(prefix), null);

    private MeshException Damaged(string what) =>
        new(JournalErrors.Damaged, $"{place} is damaged: {what}", "stop the members of the pool and restore the database from a backup; see docs/errors/AM0402.md");

    /// <param name="mayRepeat">False when a part of what was read has been passed on; null for always.</param>
    private async Task<T> WithAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellation, Func<bool>? mayRepeat = null)
    {
        try
        {
            return await PostgresProblems.OverFreshAsync(source, AskAsync, mayRepeat).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            throw PostgresProblems.Unreachable(error, place);
        }

        async Task<T> AskAsync()
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                return await read(connection).ConfigureAwait(false);
            }
        }
    }
}
