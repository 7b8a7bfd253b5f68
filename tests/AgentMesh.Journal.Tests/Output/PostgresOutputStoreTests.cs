using AgentMesh.Errors;
using AgentMesh.Journal.Tests.Postgres;

namespace AgentMesh.Journal.Tests.Output;

[Collection(PostgresCollection.Name)]
public sealed class PostgresOutputStoreTests : OutputStoreSpec
{
    private static readonly OutputAddress Out1 = new(Job, 1, OutputStreamKind.Stdout);
    private readonly Lazy<(TestPool Pool, PostgresEventStore Events)> _pool;
    private PostgresOutputStore? _store;
    private long _jobBytesMax = long.MaxValue;

    public PostgresOutputStoreTests(PostgresFixture postgres)
    {
        _pool = new(() =>
        {
            TestPool pool = new(postgres.Server.NewDatabase());

            // The member creates the tables.
            PostgresEventStore events = pool.NewStore();
            events.ReadHighestSequenceAsync("job/h/1").Wait();
            return (pool, events);
        });
    }

    private protected override IOutputStore Store => _store ??= _pool.Value.Pool.Pool.OpenOutput(_jobBytesMax, TimeSpan.FromDays(1));

    public override void Dispose()
    {
        _store?.DisposeAsync().AsTask().Wait();
        if (_pool.IsValueCreated)
        {
            _pool.Value.Pool.DisposeAsync().AsTask().Wait();
        }
    }

    [SkippableFact]
    public async Task Output_goes_with_the_journal_of_its_job_and_stays_where_that_is_refused()
    {
        IOutputStore store = Store;
        PostgresEventStore owner = _pool.Value.Events, other = _pool.Value.Pool.NewStore();
        await owner.AppendAsync(Events.StoreFixture.Append(Job, 0, 2));
        await store.AppendAsync(Out1, 0, "abc"u8.ToArray());
        await Events.StoreFixture.FailsWith(JournalErrors.ShardHeld, () => other.RemoveAsync(Job, 2));
        Assert.False(await owner.RemoveAsync(Job, 1));
        Assert.Equal(3, (await store.ReadAsync(Out1, 0, 10)).Data.Length);
        Assert.True(await owner.RemoveAsync(Job, 2));
        Assert.Equal(default, (await store.ReadAsync(Out1, 0, 10)).State);
    }

    [SkippableFact]
    public async Task Another_member_reads_what_one_has_taken_in_and_is_woken_by_it()
    {
        await Append(Out1, 0, "abc");
        await using PostgresOutputStore other = _pool.Value.Pool.Pool.OpenOutput(long.MaxValue, TimeSpan.FromDays(1));
        Assert.Equal("abc"u8.ToArray(), (await other.ReadAsync(Out1, 0, 100)).Data.ToArray());
        Task<OutputState> waiting = other.WaitForLengthAsync(Out1, 3, default);
        await Append(Out1, 3, "def");
        Assert.Equal(6, (await waiting.WaitAsync(TimeSpan.FromMinutes(2))).Length);
        Assert.Equal(OutputAppendStatus.Acknowledged, (await other.AppendAsync(Out1, 6, "ghi"u8.ToArray())).Status);
        Assert.Equal("abcdefghi", await Text(Out1));
    }

    [SkippableFact]
    public async Task Refuses_more_than_one_job_may_have()
    {
        _jobBytesMax = 10_000;
        await Append(Out1, 0, new string('x', 9_000));
        Assert.Equal(JournalErrors.OutputTooLarge, (await Assert.ThrowsAsync<MeshException>(() => Append(Out1, 9_000, new string('x', 2_000)))).Code);
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.SetFinalLengthsAsync(Job, 1, Lengths(9_000)));
    }

    [SkippableFact]
    public async Task Output_that_nobody_has_added_to_for_long_is_removed()
    {
        await Append(Out1, 0, "abc");
        Assert.Equal(0, await ((PostgresOutputStore)Store).RemoveOlderThanAsync(TimeSpan.FromHours(1)));
        Assert.Equal("abc", await Text(Out1));
        Assert.Equal(1, await ((PostgresOutputStore)Store).RemoveOlderThanAsync(TimeSpan.Zero));
        Assert.Equal(default, (await Store.ReadAsync(Out1, 0, 10)).State);
    }

    private protected override void Reopen()
    {
        _store?.DisposeAsync().AsTask().Wait();
        _store = null;
    }
}
