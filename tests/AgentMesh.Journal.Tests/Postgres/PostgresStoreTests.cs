using AgentMesh.Errors;
using AgentMesh.Journal.Tests.Events;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>What a store of a pool does beyond the contract of the plug-ins: the fence, the index, the schema.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresStoreTests(PostgresFixture postgres)
{
    private const string Id = "job/h/1";

    [SkippableFact]
    public async Task A_member_waits_for_the_shard_of_one_that_is_alive_and_is_told_its_name()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase(), change: s => s with { TakeTimeout = TimeSpan.FromMilliseconds(300) });
        PostgresEventStore first = pool.NewStore(), second = pool.NewStore();
        Assert.Equal(AppendStatus.Stored, (await first.AppendAsync(StoreFixture.Append(Id, 0, 2))).Status);
        MeshException held = await StoreFixture.FailsWith(JournalErrors.ShardHeld, () => second.ReadHighestSequenceAsync(Id));
        Assert.Contains("d1", held.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_shard_that_was_released_is_taken_under_a_newer_epoch_and_the_earlier_owner_is_refused()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore first = pool.NewStore(), second = pool.NewStore();
        await first.AppendAsync(StoreFixture.Append(Id, 0, 2));
        LeaseKey key = LeaseKey.Of(Id);
        long epoch = first.Session.Holdings[key];
        await first.Session.ReleaseAsync([key]);
        Assert.Equal(2, await second.ReadHighestSequenceAsync(Id));
        Assert.Equal(epoch + 1, second.Session.Holdings[key]);
        await StoreFixture.FailsWith(JournalErrors.ShardHeld, () => first.AppendAsync(StoreFixture.Append(Id, 2, 1)));
        Assert.Equal(AppendStatus.Stored, (await second.AppendAsync(StoreFixture.Append(Id, 2, 1))).Status);
    }

    [SkippableFact]
    public async Task Everything_that_an_overtaken_owner_still_writes_is_refused_by_the_epoch()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore first = pool.NewStore();
        await first.AppendAsync(StoreFixture.Append(Id, 0, 1));

        // As a taker does while this member believes that it is the owner.
        await ExecuteAsync(pool, "UPDATE agentmesh.shards SET epoch = epoch + 1");
        Assert.Equal(AppendStatus.OlderEpoch, (await first.AppendAsync(StoreFixture.Append(Id, 1, 1))).Status);
        await first.ReadHighestSequenceAsync(Id);
        await ExecuteAsync(pool, "UPDATE agentmesh.shards SET epoch = epoch + 1");
        await StoreFixture.FailsWith(JournalErrors.Fenced, () => first.DeleteToAsync(Id, 1));
        await first.ReadHighestSequenceAsync(Id);
        await ExecuteAsync(pool, "UPDATE agentmesh.shards SET epoch = epoch + 1");
        await StoreFixture.FailsWith(JournalErrors.Fenced, () => first.SaveSnapshotAsync(new StoredSnapshot(Id, 1, 1, 1, "m", [1])));
        Assert.Null(await first.FindSnapshotAsync(Id, SnapshotBounds.All));
        Assert.Equal(1, await first.ReadHighestSequenceAsync(Id));
    }

    [SkippableFact]
    public async Task A_pool_that_is_closed_has_left()
    {
        string database = postgres.Server.NewDatabase();
        await using TestPool other = new(database, "d2", change: s => s with { Pool = "h" });
        PostgresPool closing = PostgresPool.Open(other.Settings with { Device = "d3" }, TimeProvider.System);
        StoreLease<PostgresEventStore> lease = closing.Acquire(new object());
        await lease.Store.AppendAsync(StoreFixture.Append(Id, 0, 2));
        Assert.Single(await other.Pool.MembersAsync(default));

        lease.Dispose();
        await closing.DisposeAsync();

        Assert.Empty(await other.Pool.MembersAsync(default));
    }

    [SkippableFact]
    public async Task Lists_entities_of_a_home_newest_first_and_those_with_an_open_end()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore store = pool.NewStore();
        for (int i = 1; i <= 5; i++)
        {
            await store.AppendAsync(StoreFixture.Append($"job/h/{i}", 0, 1, manifest: i % 2 == 0 ? "closed" : "open"));
        }

        await store.AppendAsync(StoreFixture.Append("job/other/1", 0, 1, manifest: "open"));
        EntityPage first = await pool.Pool.ListAsync("job/h/", null, 3);
        Assert.Equal(["job/h/5", "job/h/4", "job/h/3"], first.Entities.Select(e => e.PersistenceId));
        EntityPage second = await pool.Pool.ListAsync("job/h/", first.Next, 3);
        Assert.Equal(["job/h/2", "job/h/1"], second.Entities.Select(e => e.PersistenceId));
        Assert.Null(second.Next);
        Assert.Equal(["job/h/1", "job/h/3", "job/h/5"], (await pool.Pool.OpenAsync("job/h/", new HashSet<string> { "closed" }, 10)).Select(e => e.PersistenceId));
        Assert.Equal(["job/h/3"], (await pool.Pool.OpenAsync("job/h/", new HashSet<string> { "closed" }, 1, wanted: id => id != "job/h/1")).Select(e => e.PersistenceId));
        Assert.Equal(["job/h/5"], (await pool.Pool.OpenAsync("job/h/", new HashSet<string> { "closed" }, 10, wanted: id => id == "job/h/5")).Select(e => e.PersistenceId));
        Assert.Equal(6, (await pool.Pool.ListAsync("job/", null, 10)).Entities.Count);
    }

    [SkippableFact]
    public async Task Many_writers_share_transactions()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore store = pool.NewStore();
        await store.AppendAsync(StoreFixture.Append("job/h/first", 0, 1));
        AppendResult[] results = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => store.AppendAsync(StoreFixture.Append($"job/h/{i}", 0, 1))));
        Assert.All(results, result => Assert.Equal(AppendStatus.Stored, result.Status));
        Assert.InRange(store.Commits, 1, 250);
    }

    [SkippableFact]
    public async Task A_write_that_the_database_cannot_store_fails_alone()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore store = pool.NewStore();
        await store.AppendAsync(StoreFixture.Append(Id, 0, 1));

        // PostgreSQL has no text with a zero character.
        Task<AppendResult> bad = store.AppendAsync(new EventAppend(Id, 1, 2, [StoreFixture.Event(2, manifest: "a\0b")], 0));
        Task<AppendResult>[] good = [.. Enumerable.Range(0, 20).Select(i => store.AppendAsync(StoreFixture.Append($"job/h/good{i}", 0, 1)))];
        Assert.Contains("nothing was stored", (await Assert.ThrowsAsync<MeshException>(() => bad)).Message, StringComparison.Ordinal);
        Assert.All(await Task.WhenAll(good), result => Assert.Equal(AppendStatus.Stored, result.Status));
        Assert.Equal(1, await store.ReadHighestSequenceAsync(Id));
    }

    [SkippableFact]
    public async Task A_write_whose_caller_was_told_that_it_is_not_stored_is_not_tried_again_with_its_batch()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore owner = pool.NewStore(), store = pool.NewStore();
        await owner.AppendAsync(StoreFixture.Append(Id, 0, 1));
        using ManualResetEventSlim isBusy = new(), goesOn = new();
        Task before = store.Writer.Enqueue("before", null, 0, _ => Select("1", () =>
        {
            isBusy.Set();
            goesOn.Wait();
        }), row => row.GetInt32(0));
        isBusy.Wait();
        Task<AppendResult> refused = store.AppendAsync(StoreFixture.Append(Id, 1, 1));

        // In the same transaction: the shard gets free behind the first refusal, and the transaction fails and is taken apart.
        Task bad = store.Writer.Enqueue("bad", null, 0, _ => Select("1/0", () => owner.Session.ReleaseAsync([LeaseKey.Of(Id)]).GetAwaiter().GetResult()), row => row.GetInt32(0));
        goesOn.Set();
        await before;
        await StoreFixture.FailsWith(JournalErrors.ShardHeld, () => refused);
        await Assert.ThrowsAsync<MeshException>(() => bad);
        Assert.Equal(1, await store.ReadHighestSequenceAsync(Id));
    }

    [SkippableFact]
    public async Task A_missing_or_changed_event_fails_the_replay()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore store = pool.NewStore();
        await store.AppendAsync(StoreFixture.Append(Id, 0, 5));
        await ExecuteAsync(pool, "UPDATE agentmesh.events SET manifest = 'other' WHERE sequence_nr = 2");
        await StoreFixture.FailsWith(JournalErrors.Damaged, () => store.ReplayAsync(Id, 1, 9, 9, _ => { }));
        await ExecuteAsync(pool, "DELETE FROM agentmesh.events WHERE sequence_nr IN (2, 5)");
        await StoreFixture.FailsWith(JournalErrors.Damaged, () => store.ReplayAsync(Id, 1, 9, 9, _ => { }));
        await StoreFixture.FailsWith(JournalErrors.Damaged, () => store.ReplayAsync(Id, 3, 9, 9, _ => { }));
    }

    [SkippableFact]
    public async Task Tables_of_a_newer_version_are_left_alone()
    {
        string database = postgres.Server.NewDatabase();
        await using (TestPool pool = new(database))
        {
            await pool.NewStore().AppendAsync(StoreFixture.Append(Id, 0, 1));
            await ExecuteAsync(pool, "UPDATE agentmesh.meta SET value = value + 1 WHERE key = 'format'");
        }

        await using TestPool older = new(database);
        await StoreFixture.FailsWith(JournalErrors.DatabaseFormat, () => older.NewStore().AppendAsync(StoreFixture.Append(Id, 1, 1)));
    }

    [SkippableFact]
    public async Task Members_that_start_at_the_same_time_create_the_tables_once()
    {
        string database = postgres.Server.NewDatabase();
        TestPool[] pools = [.. Enumerable.Range(0, 4).Select(i => new TestPool(database, $"d{i}"))];
        PostgresEventStore[] stores = [.. pools.Select(pool => pool.NewStore())];
        AppendResult[] results = await Task.WhenAll(stores.Select((store, i) => store.AppendAsync(StoreFixture.Append($"kind{i}/h/x", 0, 1))));
        Assert.All(results, result => Assert.Equal(AppendStatus.Stored, result.Status));
        foreach (TestPool pool in pools)
        {
            await pool.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task A_database_that_is_away_refuses_writes_with_its_reason_and_without_the_password()
    {
        _ = postgres.Server;
        await using TestPool pool = new("Host=/nonexistent;Database=x;Username=u;Password=secret-word", change: s => s with { TakeTimeout = TimeSpan.FromMilliseconds(100) });
        PostgresEventStore store = pool.NewStore();
        MeshException write = await StoreFixture.FailsWith(JournalErrors.DatabaseUnreachable, () => store.AppendAsync(StoreFixture.Append(Id, 0, 1)));
        MeshException read = await StoreFixture.FailsWith(JournalErrors.DatabaseUnreachable, () => store.ReadHighestSequenceAsync(Id));
        Assert.DoesNotContain("secret-word", $"{write} {read} {pool.Settings}", StringComparison.Ordinal);
        Assert.False(store.Session.IsLive);
    }

    [Fact]
    public void A_connection_string_that_cannot_be_read_is_not_shown()
    {
        PostgresSettings settings = new() { Pool = "p", Device = "d", ConnectionString = "Hots=x;Pasword=secret-word" };
        MeshException error = Assert.Throws<MeshException>(() => PostgresPool.Open(settings, TimeProvider.System));
        Assert.Equal(JournalErrors.BadConnection, error.Code);
        Assert.DoesNotContain("secret-word", error.ToString(), StringComparison.Ordinal);
    }

    private static NpgsqlBatchCommand Select(string what, Action before)
    {
        before();
        return new NpgsqlBatchCommand($"SELECT {what}");
    }

    private static async Task ExecuteAsync(TestPool pool, string sql)
    {
        await using NpgsqlConnection connection = new(pool.Settings.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
