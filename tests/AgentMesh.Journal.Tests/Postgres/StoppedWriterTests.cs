using System.Text;
using AgentMesh.Journal.Postgres;
using AgentMesh.Journal.Tests.Events;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>A member that stands still in the middle of a write, as one that was suspended does: its connections stay open, and nothing comes any more. The next owner does not wait for it beyond its lease.</summary>
[Collection(PostgresCollection.Name)]
public sealed class StoppedWriterTests(PostgresFixture postgres)
{
    private const string Id = "job/h/1";
    private const string Append = """
        SELECT r_status FROM agentmesh.append($1, 'job', 'h', $2, $3, 1, 2, 0, ARRAY[2]::bigint[], ARRAY[17], ARRAY['E'], ARRAY['x'::bytea], ARRAY['w'], ARRAY[0]::bigint[], ARRAY[0]::bigint[])
        """;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(4);

    // What a busy machine may take on top of the lease. Those that would wait for the stopped one wait for as long as the test lasts.
    private static readonly TimeSpan Bound = Lease + TimeSpan.FromSeconds(30);

    [SkippableFact]
    public async Task A_write_that_is_refused_by_its_epoch_holds_nothing_while_its_transaction_stays_open()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase());
        PostgresEventStore first = pool.NewStore(), second = pool.NewStore();
        await first.AppendAsync(StoreFixture.Append(Id, 0, 1));
        LeaseKey key = LeaseKey.Of(Id);
        long epoch = first.Session.Holdings[key];
        await first.Session.ReleaseAsync([key]);
        Assert.Equal(1, await second.ReadHighestSequenceAsync(Id));

        // What the first owner had on its way arrives only now, and it is stopped again before it hears the answer.
        await using NpgsqlConnection stopped = await OpenAsync(pool);
        await using NpgsqlTransaction transaction = await stopped.BeginTransactionAsync();
        Assert.Equal((int)AppendStatus.OlderEpoch, await AskAsync(stopped, Append, Id, key.Shard, epoch));
        Assert.Equal(false, await AskAsync(stopped, "SELECT agentmesh.save_snapshot($1, 'h', $2, $3, 1, 1, 1, 'm', 'x', 0)", Id, key.Shard, epoch));
        Assert.Equal(2, await AskAsync(stopped, "SELECT agentmesh.remove_entity($1, 'h', $2, $3, 1, 0)", Id, key.Shard, epoch));

        Assert.Equal(AppendStatus.Stored, (await second.AppendAsync(StoreFixture.Append(Id, 1, 1)).WaitAsync(Bound)).Status);

        // Who comes next takes the shard from the second without waiting either.
        await second.Session.ReleaseAsync([key]);
        PostgresEventStore third = pool.NewStore();
        Assert.Equal(2, await third.ReadHighestSequenceAsync(Id).WaitAsync(Bound));
        await transaction.RollbackAsync();
    }

    [SkippableFact]
    public async Task The_next_owner_writes_after_the_lease_of_one_that_stands_still_in_the_middle_of_a_batch()
    {
        string database = postgres.Server.NewDatabase();
        using DatabaseProxy proxy = new(postgres.Server);
        await using TestPool old = new(proxy.ConnectionString(database), "old", Lease);
        await using TestPool pool = new(database, "next", Lease);
        PostgresEventStore first = old.NewStore(), second = pool.NewStore();
        await first.AppendAsync(StoreFixture.Append(Id, 0, 1));

        // The end of the batch, which is longer than this, never comes: for the server it is not idle, and no timeout of it runs.
        int left = 60_000;
        proxy.StandStill = data => (left -= data.Length) < 0 ? data.Length + left : null;
        Task[] writes = [.. Enumerable.Range(1, 200).Select(i => (Task)first.AppendAsync(StoreFixture.Append(Id, i, 1, bytes: 2_000)))];
        await proxy.StandsStill.WaitAsync(Bound);
        await using (NpgsqlConnection look = await OpenAsync(pool))
        {
            await UntilAsync(async () => Equals(1L, await AskAsync(look, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'agentmesh writer old' AND state = 'active' AND wait_event = 'ClientRead' AND backend_xid IS NOT NULL")));
        }

        long at = await second.ReadHighestSequenceAsync(Id).WaitAsync(Bound);
        Assert.InRange(at, 1, 199);
        Assert.Equal(AppendStatus.Stored, (await second.AppendAsync(StoreFixture.Append(Id, at, 1)).WaitAsync(Bound)).Status);
        List<(long Number, int Bytes)> events = [];
        await second.ReplayAsync(Id, 1, long.MaxValue, long.MaxValue, e => events.Add((e.SequenceNr, e.Payload.Length)));
        Assert.Equal(at + 1, events.Count);
        Assert.Equal((at + 1, 1), events[^1]);

        proxy.CutAll();
        await ((Task)Task.WhenAll(writes)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.Equal(at - 1, writes.Count(write => write.IsCompletedSuccessfully));
    }

    [SkippableFact]
    public async Task Output_is_taken_in_by_the_next_owner_while_one_stands_still_before_its_commit()
    {
        string database = postgres.Server.NewDatabase();
        using DatabaseProxy proxy = new(postgres.Server);
        await using TestPool old = new(proxy.ConnectionString(database), "old", Lease);
        await using TestPool pool = new(database, "next", Lease, settings => settings with { Pool = old.Settings.Pool });
        await pool.NewStore().ReadHighestSequenceAsync(Id);
        await using PostgresOutputStore stopped = old.Pool.OpenOutput(1_000_000, TimeSpan.FromDays(1));
        await using PostgresOutputStore next = pool.Pool.OpenOutput(1_000_000, TimeSpan.FromDays(1));
        OutputAddress address = new(Id, 1, OutputStreamKind.Stdout);
        Assert.Equal(5, (await stopped.AppendAsync(address, 0, Encoding.UTF8.GetBytes("begun"))).Length);

        proxy.StandStill = data => data.Span.IndexOf("COMMIT\0"u8) >= 0 ? 0 : null;
        Task lost = stopped.AppendAsync(address, 5, Encoding.UTF8.GetBytes("-lost"));
        await proxy.StandsStill.WaitAsync(Bound);
        Assert.Equal(10, (await next.AppendAsync(address, 5, Encoding.UTF8.GetBytes("-kept")).WaitAsync(Bound)).Length);
        Assert.Equal("begun-kept", Encoding.UTF8.GetString((await next.ReadAsync(address, 0, 100)).Data.Span));

        proxy.CutAll();
        await Assert.ThrowsAnyAsync<Exception>(() => lost);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Tables_of_an_older_format_are_brought_up_to_date_with_what_is_in_them(int format)
    {
        string database = postgres.Server.NewDatabase();
        await using (NpgsqlDataSource source = NpgsqlDataSource.Create(database + ";Pooling=false"))
        {
            await PostgresSchema.MigrateAsync(source, "the database", format, CancellationToken.None);
            await using NpgsqlConnection connection = await source.OpenConnectionAsync();
            await using NpgsqlCommand fill = new("INSERT INTO agentmesh.shards (home, shard, epoch) VALUES ('h', $1, 7)", connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = LeaseKey.Of(Id).Shard } } };
            await fill.ExecuteNonQueryAsync();
            EventRecord stored = StoreFixture.Event(1);
            long checksum = AgentMesh.Journal.Events.Checksums.OfEvent(Id, stored, 0, 0);
            await using NpgsqlCommand write = new(
                "SELECT r_status FROM agentmesh.append($1, 'job', 'h', $2, 7, 0, 1, 0, ARRAY[1]::bigint[], ARRAY[17], ARRAY['E'], ARRAY['x'::bytea], ARRAY['writer'], ARRAY[$3], ARRAY[$4])", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = Id }, new NpgsqlParameter<string> { TypedValue = LeaseKey.Of(Id).Shard }, new NpgsqlParameter<long> { TypedValue = stored.Timestamp }, new NpgsqlParameter<long> { TypedValue = checksum } },
            };
            Assert.Equal(0, await write.ExecuteScalarAsync());
        }

        await using TestPool pool = new(database);
        PostgresEventStore store = pool.NewStore();
        Assert.Equal(1, await store.ReadHighestSequenceAsync(Id));
        Assert.Equal(8, store.Session.Holdings[LeaseKey.Of(Id)]);
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 1, 1))).Status);
        List<long> numbers = [];
        await store.ReplayAsync(Id, 1, long.MaxValue, long.MaxValue, e => numbers.Add(e.SequenceNr));
        Assert.Equal([1L, 2L], numbers);
        await using NpgsqlConnection look = await OpenAsync(pool);
        Assert.Equal((long)PostgresSchema.FormatVersion, await AskAsync(look, "SELECT value FROM agentmesh.meta WHERE key = 'format'"));
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using CancellationTokenSource over = new(Bound);
        while (!await holds())
        {
            await Task.Delay(50, over.Token);
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(TestPool pool)
    {
        NpgsqlConnection connection = new(pool.Settings.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<object?> AskAsync(NpgsqlConnection connection, string sql, params object[] arguments)
    {
        await using NpgsqlCommand command = new(sql, connection);
        foreach (object argument in arguments)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = argument });
        }

        return await command.ExecuteScalarAsync();
    }
}
