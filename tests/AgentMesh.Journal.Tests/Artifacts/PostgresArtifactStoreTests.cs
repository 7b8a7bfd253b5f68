using AgentMesh.Errors;
using AgentMesh.Journal.Tests.Postgres;
using Npgsql;

namespace AgentMesh.Journal.Tests.Artifacts;

[Collection(PostgresCollection.Name)]
public sealed class PostgresArtifactStoreTests(PostgresFixture postgres) : ArtifactStoreSpec, IAsyncLifetime
{
    private readonly string _name = "h" + Path.GetRandomFileName()[..4];
    private readonly List<(PostgresPool Pool, PostgresArtifactStore Store)> _opened = [];
    private string? _database;
    private int _member;

    [SkippableFact]
    public async Task Another_member_goes_on_with_what_one_took_and_gives_what_it_has()
    {
        IArtifactStore first = await OpenAsync(), second = await OpenAsync();
        await using (ArtifactUpload upload = await first.BeginAsync(HashOf("content"), 7, default))
        {
            await upload.AppendAsync("cont"u8.ToArray(), default);
        }

        await using (ArtifactUpload upload = await second.BeginAsync(HashOf("content"), 7, default))
        {
            Assert.Equal(4, upload.Offset);
            await upload.AppendAsync("ent"u8.ToArray(), default);
            await upload.CompleteAsync(default);
        }

        StoredArtifact named = await first.NameAsync(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), default);
        Assert.Equal(named, await second.FindAsync("job/a", "one", default));
        Assert.Equal("content", await ReadAsync(first, "content"));
        Assert.Equal("content", await ReadAsync(second, "content"));
    }

    [SkippableFact]
    public async Task A_sender_that_another_one_has_followed_changes_nothing_any_more()
    {
        IArtifactStore first = await OpenAsync(), second = await OpenAsync();
        ArtifactUpload slow = await first.BeginAsync(HashOf("content"), 7, default);
        await slow.AppendAsync("CON"u8.ToArray(), default);

        // As after the patience with a sender of which nothing came.
        await ExecuteAsync("UPDATE agentmesh.artifact_contents SET touched_at = touched_at - interval '1 minute'");
        await using (ArtifactUpload next = await second.BeginAsync(HashOf("content"), 7, default))
        {
            Assert.Equal(0, next.Offset);
            await next.AppendAsync("content"u8.ToArray(), default);
            Assert.Equal(JournalErrors.ArtifactNotStored, (await Assert.ThrowsAsync<MeshException>(() => slow.AppendAsync("TENT"u8.ToArray(), default))).Code);
            await next.CompleteAsync(default);
        }

        await slow.DisposeAsync();
        await second.NameAsync(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), default);
        Assert.Equal("content", await ReadAsync(first, "content"));
    }

    [SkippableFact]
    public async Task Members_that_add_at_once_keep_to_the_room_together()
    {
        IArtifactStore[] members = [await OpenAsync(bytesMax: 40), await OpenAsync(bytesMax: 40)];
        string[] codes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await PutAsync(members[i % 2], "job/a", $"n{i}", $"number-{i:00}");
                return "";
            }
            catch (MeshException full)
            {
                return full.Code;
            }
        }));
        Assert.Equal(4, codes.Count(code => code.Length == 0));
        Assert.All(codes.Where(code => code.Length > 0), code => Assert.Equal(JournalErrors.ArtifactStoreFull, code));
        Assert.Equal(36, await members[0].BytesAsync(default));
    }

    [SkippableFact]
    public async Task What_was_begun_and_left_or_never_named_goes_after_a_while()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "one", "content");
        await using (ArtifactUpload left = await store.BeginAsync(HashOf("half"), 4, default))
        {
            await left.AppendAsync("ha"u8.ToArray(), default);
        }

        await using (ArtifactUpload unnamed = await store.BeginAsync(HashOf("unnamed"), 7, default))
        {
            await unnamed.AppendAsync("unnamed"u8.ToArray(), default);
            await unnamed.CompleteAsync(default);
        }

        await store.RemoveOldAsync(default);
        Assert.Equal(2, await ContentsAsync());
        await ExecuteAsync("UPDATE agentmesh.artifact_contents SET touched_at = touched_at - interval '2 days'");
        await store.RemoveOldAsync(default);
        Assert.Equal("content", await ReadAsync(store, "content"));
        Assert.Equal(1L, await ScalarAsync("SELECT count(*) FROM agentmesh.artifact_contents"));
        Assert.Equal(1L, await ScalarAsync("SELECT count(*) FROM agentmesh.artifact_chunks"));
    }

    [SkippableFact]
    public async Task A_content_that_changed_in_the_database_before_it_was_whole_is_refused()
    {
        IArtifactStore store = await OpenAsync();
        await using (ArtifactUpload upload = await store.BeginAsync(HashOf("content"), 7, default))
        {
            await upload.AppendAsync("conten"u8.ToArray(), default);
        }

        await using ArtifactUpload again = await store.BeginAsync(HashOf("content"), 7, default);
        await ExecuteAsync("UPDATE agentmesh.artifact_chunks SET data = 'CONTEN'::bytea");
        await again.AppendAsync("t"u8.ToArray(), default);
        Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => again.CompleteAsync(default))).Code);
        Assert.Equal(0, await ContentsAsync());
    }

    [SkippableFact]
    public async Task A_content_that_is_removed_while_it_is_read_ends_with_that_reason()
    {
        IArtifactStore store = await OpenAsync(bytesMax: 10_000_000, sizeMax: 10_000_000);
        StoredArtifact put = await store.PutAsync("large", new MemoryStream(new byte[600_000]), default);
        await using Stream read = await store.OpenReadAsync(put.Hash, default);
        byte[] buffer = new byte[1000];
        Assert.Equal(1000, await read.ReadAsync(buffer));
        Assert.True(await store.RemoveAsync("", "large", default));
        Assert.Equal(JournalErrors.ArtifactGone, (await Assert.ThrowsAsync<MeshException>(() => read.CopyToAsync(Stream.Null))).Code);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach ((PostgresPool pool, PostgresArtifactStore store) in _opened)
        {
            await store.DisposeAsync();
            await pool.DisposeAsync();
        }
    }

    protected override async Task<IArtifactStore> OpenAsync(ArtifactStoreSettings settings)
    {
        _database ??= postgres.Server.NewDatabase();
        PostgresSettings member = new() { Pool = _name, ConnectionString = _database, Device = $"d{++_member}", Lease = TimeSpan.FromSeconds(30), AppendTimeout = TimeSpan.FromMinutes(2) };
        PostgresPool pool = PostgresPool.Open(member, TimeProvider.System);
        await PostgresSchemaAsync(pool);
        PostgresArtifactStore store = pool.OpenArtifacts(settings, _time);
        _opened.Add((pool, store));
        return store;
    }

    protected override async Task<int> ContentsAsync() => (int)(long)(await ScalarAsync("SELECT count(*) FROM agentmesh.artifact_contents WHERE is_whole"))!;

    /// <summary>The first member makes the tables when it joins.</summary>
    private static async Task PostgresSchemaAsync(PostgresPool pool)
    {
        StoreLease<PostgresEventStore> lease = pool.Acquire(new object());
        await lease.Store.ReadHighestSequenceAsync("job/h/1");
        await lease.Store.DisposeAsync();
        lease.Dispose();
    }

    private Task ExecuteAsync(string sql) => ScalarAsync(sql);

    private async Task<object?> ScalarAsync(string sql)
    {
        await using NpgsqlConnection connection = new(_database + ";Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
