using AgentMesh.Journal.Tests.Events;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>What the removal of an entity means in every event store.</summary>
public abstract class RemovalSpec
{
    private const string Id = "job/h/1";

    [SkippableFact]
    public async Task A_removed_entity_has_no_events_no_snapshots_and_no_place_in_the_index()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        await store.SaveSnapshotAsync(new StoredSnapshot(Id, 2, 1, 17, "S", [1]));
        await store.AppendAsync(StoreFixture.Append("job/h/2", 0, 1));

        Assert.True(await store.RemoveAsync(Id, 3));
        Assert.Equal(["job/h/2"], (await store.ListAsync("job/h/", null, 10)).Entities.Select(e => e.PersistenceId));
        Assert.Equal(["job/h/2"], (await store.OpenAsync("job/h/", new HashSet<string>(), 10)).Select(e => e.PersistenceId));
        Assert.Empty(await store.EventsAsync(Id, 1, 10));
        Assert.Null(await store.FindSnapshotAsync(Id, SnapshotBounds.All));
    }

    [SkippableFact]
    public async Task That_it_was_there_and_how_far_it_came_stays_known()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        await store.RemoveAsync(Id, 3);
        Assert.Equal(3, await store.ReadHighestSequenceAsync(Id));
        EntitySummary removed = Assert.Single((await store.RemovedAsync("job/h/", null, 10)).Entities);
        Assert.Equal((Id, 3L), (removed.PersistenceId, removed.HighestSequence));
        Assert.Empty((await store.RemovedAsync("array/h/", null, 10)).Entities);
    }

    [SkippableFact]
    public async Task One_that_has_gone_on_meanwhile_is_left_as_it_is()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        Assert.False(await store.RemoveAsync(Id, 2));
        Assert.False(await store.RemoveAsync("job/h/none", 0));
        Assert.Equal(3, (await store.EventsAsync(Id, 1, 10)).Count);
        Assert.True(await store.RemoveAsync(Id, 3));
        Assert.False(await store.RemoveAsync(Id, 3));
    }

    [SkippableFact]
    public async Task A_writer_that_does_not_know_of_the_removal_cannot_begin_it_from_the_start()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        await store.RemoveAsync(Id, 3);
        Assert.Equal(AppendStatus.WrongSequence, (await store.AppendAsync(StoreFixture.Append(Id, 0, 1))).Status);
        Assert.Empty((await store.ListAsync("job/h/", null, 10)).Entities);
    }

    [SkippableFact]
    public async Task One_that_begins_anew_goes_on_counting_and_is_the_newest_of_the_index()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        await store.AppendAsync(StoreFixture.Append("job/h/2", 0, 1));
        await store.RemoveAsync(Id, 3);
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 3, 2))).Status);
        Assert.Equal([4L, 5L], (await store.EventsAsync(Id, 1, 10)).Select(e => e.SequenceNr));
        Assert.Equal([Id, "job/h/2"], (await store.ListAsync("job/h/", null, 10)).Entities.Select(e => e.PersistenceId));
        Assert.Empty((await store.RemovedAsync("job/h/", null, 10)).Entities);
        Assert.True(await store.RemoveAsync(Id, 5));
    }

    [SkippableFact]
    public async Task One_that_is_forgotten_was_never_there_and_one_that_is_there_is_not_forgotten()
    {
        await using Opened opened = await OpenAsync();
        IEventStore store = opened.Store;
        await store.AppendAsync(StoreFixture.Append(Id, 0, 3));
        await store.ForgetRemovedAsync(Id);
        Assert.Equal(3, (await store.EventsAsync(Id, 1, 10)).Count);
        await store.RemoveAsync(Id, 3);
        await store.ForgetRemovedAsync(Id);
        Assert.Equal(0, await store.ReadHighestSequenceAsync(Id));
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 0, 1))).Status);
    }

    protected abstract Task<Opened> OpenAsync();

    protected sealed record Opened(IEventStore Store, Func<ValueTask> Close) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Close();
    }
}

public sealed class SqliteRemovalTests : RemovalSpec, IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    protected override Task<Opened> OpenAsync()
    {
        SqliteEventStore store = StoreFixture.Open(_directory.File("journal.db"));
        return Task.FromResult(new Opened(store, () =>
        {
            store.Dispose();
            return ValueTask.CompletedTask;
        }));
    }
}

[Collection(Postgres.PostgresCollection.Name)]
public sealed class PostgresRemovalTests(Postgres.PostgresFixture postgres) : RemovalSpec
{
    protected override Task<Opened> OpenAsync()
    {
        Postgres.TestPool pool = new(postgres.Server.NewDatabase());
        return Task.FromResult(new Opened(pool.NewStore(), pool.DisposeAsync));
    }
}
