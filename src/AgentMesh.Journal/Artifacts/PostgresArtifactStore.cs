using AgentMesh.Errors;
using AgentMesh.Journal.Artifacts;
using AgentMesh.Journal.Postgres;
using Npgsql;

namespace AgentMesh.Journal;

/// <summary>The artifacts of a pool, in its database in chunks of at most 256 KiB: every member takes them in, and gives them out.</summary>
/// <remarks>What comes is hashed again from what stands in the database before it counts as there, so a content that several members took in turn is right or not there.</remarks>
public sealed class PostgresArtifactStore : IArtifactStore, IAsyncDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    /// <summary>A sender of which nothing came for so long has gone: another may go on with the content.</summary>
    private static readonly TimeSpan SenderPatience = TimeSpan.FromSeconds(30);

    private readonly string _home;
    private readonly string _place;
    private readonly ArtifactStoreSettings _settings;
    private readonly NpgsqlDataSource _source;
    private readonly ArtifactFiles _files;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;

    internal PostgresArtifactStore(PostgresSettings pool, NpgsqlDataSource source, string place, ArtifactStoreSettings settings, TimeProvider time)
    {
        _home = pool.Pool;
        _place = place;
        _settings = settings with { SizeSettingName = ArtifactStoreSettings.PoolSizeSetting };
        _source = source;
        _files = new ArtifactFiles(settings.Directory);
        _time = time;
        _sweep = time.CreateTimer(_ => _ = SweepAsync(), null, SweepEvery, SweepEvery);
    }

    public async Task<IReadOnlyList<StoredArtifact>> ListAsync(string? jobId, string? hash, int limit, CancellationToken cancellationToken) => await RowsAsync(
        """
        SELECT n.job_id, n.attempt, n.name, c.hash, c.size, n.at FROM agentmesh.artifact_names n JOIN agentmesh.artifact_contents c USING (content_key)
        WHERE n.home = $1 AND ($2 IS NULL OR n.job_id = $2) AND ($3 IS NULL OR c.hash = $3) ORDER BY n.at DESC, n.name LIMIT $4
        """,
        [Home(), Text(jobId), Text(hash), PostgresReads.Number(limit)],
        ArtifactOf,
        cancellationToken).ConfigureAwait(false);

    public async Task<StoredArtifact?> FindAsync(string jobId, string name, CancellationToken cancellationToken) => (await RowsAsync(
        """
        SELECT n.job_id, n.attempt, n.name, c.hash, c.size, n.at FROM agentmesh.artifact_names n JOIN agentmesh.artifact_contents c USING (content_key)
        WHERE n.home = $1 AND n.job_id = $2 AND n.name = $3
        """,
        [Home(), Text(jobId), Text(name)],
        ArtifactOf,
        cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async Task<ArtifactUpload> BeginAsync(string hash, long size, CancellationToken cancellationToken)
    {
        ArtifactProblems.CheckHash(hash);
        if (size < 0 || size > _settings.SizeMax)
        {
            throw ArtifactProblems.TooLarge(_settings.SizeSettingName, size, _settings.SizeMax);
        }

        await RemoveOldAsync(cancellationToken).ConfigureAwait(false);
        string sender = Guid.NewGuid().ToString("N");
        (int status, long key, long offset) = await RowAsync(
            "SELECT r_status, coalesce(r_key, 0), coalesce(r_offset, 0) FROM agentmesh.artifact_begin($1, $2, $3, $4, $5, $6, $7)",
            [
                Home(), Text(hash), PostgresReads.Number(size), Text(sender), Int((int)SenderPatience.TotalMilliseconds), PostgresReads.Number(_settings.BytesMax),
                PostgresReads.Number((_time.GetUtcNow() - _settings.SafeFor).UtcTicks),
            ],
            row => (row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)),
            cancellationToken).ConfigureAwait(false);
        return status switch
        {
            0 => new PostgresArtifactUpload(this, key, sender, hash, size, offset),
            1 => new PostgresArtifactUpload(this, 0, sender, hash, offset, offset),
            2 => throw ArtifactProblems.IsComing(),
            _ => throw ArtifactProblems.Full($"the pool ({_place})", ArtifactStoreSettings.PoolBytesSetting, offset, _settings.BytesMax, size),
        };
    }

    public async Task<StoredArtifact> PutAsync(string name, Stream from, CancellationToken cancellationToken)
    {
        string partial = _files.NewPartial();
        try
        {
            (string hash, long size) = await ArtifactFiles.ReceiveAsync(partial, from, _settings, cancellationToken).ConfigureAwait(false);
            ArtifactUpload upload = await BeginAsync(hash, size, cancellationToken).ConfigureAwait(false);
            await using (upload.ConfigureAwait(false))
            {
                if (!upload.IsThere)
                {
                    await SendAsync(partial, upload, cancellationToken).ConfigureAwait(false);
                }
            }

            return await NameAsync(new StoredArtifact("", 0, name, hash, size, _time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    public async Task<StoredArtifact> NameAsync(StoredArtifact artifact, CancellationToken cancellationToken)
    {
        (int status, long at) = await RowAsync(
            "SELECT r_status, coalesce(r_at, 0) FROM agentmesh.artifact_name($1, $2, $3, $4, $5, $6, $7)",
            [Home(), Text(artifact.JobId), Text(artifact.Name), Int(artifact.Attempt), Text(artifact.Hash), PostgresReads.Number(artifact.Size), PostgresReads.Number(artifact.At.UtcTicks)],
            row => (row.GetInt32(0), row.GetInt64(1)),
            cancellationToken).ConfigureAwait(false);
        return status switch
        {
            0 => artifact with { At = new DateTimeOffset(at, TimeSpan.Zero) },
            1 => throw ArtifactProblems.NewerAttempt(artifact.Name),
            _ => throw Gone(artifact.Hash),
        };
    }

    public async Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken) => (await RowsAsync(
        "SELECT content_key, size FROM agentmesh.artifact_contents WHERE home = $1 AND hash = $2 AND is_whole",
        [Home(), Text(hash)],
        Stream (row) => new PostgresArtifactStream(this, row.GetInt64(0), hash, row.GetInt64(1)),
        cancellationToken).ConfigureAwait(false)).FirstOrDefault() ?? throw Gone(hash);

    public Task<bool> RemoveAsync(string jobId, string name, CancellationToken cancellationToken) =>
        RowAsync("SELECT agentmesh.artifact_remove($1, $2, $3)", [Home(), Text(jobId), Text(name)], row => row.GetBoolean(0), cancellationToken);

    /// <summary>What has no name, or too many came after, goes too.</summary>
    public Task RemoveOldAsync(CancellationToken cancellationToken) => RowAsync(
        "SELECT agentmesh.artifact_sweep($1, $2, $3) IS NULL",
        [Home(), PostgresReads.Number(_settings.RetainedFor is { } limit ? (_time.GetUtcNow() - limit).UtcTicks : 0), Int(ArtifactStoreSettings.CountMax)],
        row => row.GetBoolean(0),
        cancellationToken);

    public Task<long> BytesAsync(CancellationToken cancellationToken) =>
        RowAsync("SELECT coalesce(sum(size), 0)::bigint FROM agentmesh.artifact_contents WHERE home = $1 AND is_whole", [Home()], row => row.GetInt64(0), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    /// <returns>False where another sender has begun meanwhile, or the content was removed.</returns>
    internal Task<bool> AppendAsync(long key, string sender, long offset, byte[] data, CancellationToken cancellationToken) => RowAsync(
        "SELECT agentmesh.artifact_append($1, $2, $3, $4)",
        [PostgresReads.Number(key), Text(sender), PostgresReads.Number(offset), new NpgsqlParameter<byte[]> { TypedValue = data }],
        row => row.GetBoolean(0),
        cancellationToken);

    /// <returns>False as for <see cref="AppendAsync"/>.</returns>
    internal async Task<bool> PublishAsync(long key, string sender, CancellationToken cancellationToken) => (await RowsAsync(
        "UPDATE agentmesh.artifact_contents SET is_whole = true, touched_at = clock_timestamp() WHERE content_key = $1 AND sender = $2 AND stored_bytes = size RETURNING 1",
        [PostgresReads.Number(key), Text(sender)],
        row => row.GetInt32(0),
        cancellationToken).ConfigureAwait(false)).Count > 0;

    internal Task DiscardAsync(long key, string sender) => RowsAsync(
        "DELETE FROM agentmesh.artifact_contents WHERE content_key = $1 AND sender = $2 AND NOT is_whole RETURNING 1",
        [PostgresReads.Number(key), Text(sender)],
        row => row.GetInt32(0),
        CancellationToken.None);

    internal Task ReleaseAsync(long key, string sender) => RowsAsync(
        "UPDATE agentmesh.artifact_contents SET sender = NULL WHERE content_key = $1 AND sender = $2 RETURNING 1",
        [PostgresReads.Number(key), Text(sender)],
        row => row.GetInt32(0),
        CancellationToken.None);

    /// <summary>The chunk that holds this place, from there on; empty where there is none.</summary>
    internal async Task<ReadOnlyMemory<byte>> ChunkAsync(long key, long position, CancellationToken cancellationToken)
    {
        IReadOnlyList<(long Start, byte[] Data)> found = await RowsAsync(
            "SELECT start_offset, data FROM agentmesh.artifact_chunks WHERE content_key = $1 AND start_offset <= $2 ORDER BY start_offset DESC LIMIT 1",
            [PostgresReads.Number(key), PostgresReads.Number(position)],
            row => (row.GetInt64(0), row.GetFieldValue<byte[]>(1)),
            cancellationToken).ConfigureAwait(false);
        return found is [var (start, data)] && position - start < data.Length ? data.AsMemory((int)(position - start)) : ReadOnlyMemory<byte>.Empty;
    }

    internal MeshException Gone(string hash) => ArtifactProblems.Gone($"the pool ({_place})", hash);

    internal static MeshException Overtaken() => new(JournalErrors.ArtifactNotStored, "somebody else has begun to send the same content", "nothing needs to be done: it is tried again");

    private static async Task SendAsync(string file, ArtifactUpload upload, CancellationToken cancellationToken)
    {
        var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, useAsync: true);
        await using (content.ConfigureAwait(false))
        {
            content.Position = upload.Offset;
            byte[] piece = new byte[PostgresArtifactUpload.ChunkBytesMax];
            int read;
            while ((read = await content.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await upload.AppendAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }

        await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task SweepAsync()
    {
        try
        {
            await RemoveOldAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The next sweep does it.
        }
    }

    private async Task<T> RowAsync<T>(string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        (await RowsAsync(sql, parameters, read, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Each of the statements may be made twice: what it says of the state before it would then not hold.</summary>
    private async Task<IReadOnlyList<T>> RowsAsync<T>(string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        try
        {
            return await PostgresProblems.OverFreshAsync(_source, async () =>
            {
                NpgsqlCommand command = _source.CreateCommand(sql);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange(Array.ConvertAll(parameters, parameter => parameter.Clone()));
                    NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                    await using (rows.ConfigureAwait(false))
                    {
                        var found = new List<T>();
                        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
                        {
                            found.Add(read(rows));
                        }

                        return (IReadOnlyList<T>)found;
                    }
                }
            }).ConfigureAwait(false);
        }
        catch (PostgresException full) when (full.SqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.ReadOnlySqlTransaction)
        {
            throw PostgresProblems.NotStored(full, _place);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellationToken.IsCancellationRequested)
        {
            throw PostgresProblems.Unreachable(error, _place);
        }
    }

    private static StoredArtifact ArtifactOf(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3), row.GetInt64(4), new DateTimeOffset(row.GetInt64(5), TimeSpan.Zero));

    private NpgsqlParameter Home() => PostgresReads.Text(_home);

    private static NpgsqlParameter Text(string? text) => text is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text } : PostgresReads.Text(text);

    private static NpgsqlParameter Int(int value) => new NpgsqlParameter<int> { TypedValue = value };
}
