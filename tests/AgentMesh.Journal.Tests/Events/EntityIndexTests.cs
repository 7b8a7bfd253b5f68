using static AgentMesh.Journal.Tests.Events.StoreFixture;

namespace AgentMesh.Journal.Tests.Events;

public sealed class EntityIndexTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly SqliteEventStore _store;

    public EntityIndexTests() => _store = Open(_directory.File("journal.db"));

    public void Dispose()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Lists_newest_first_in_pages_within_a_prefix()
    {
        for (int i = 0; i < 25; i++)
        {
            await _store.AppendAsync(Append($"job/h1/{i:00}", 0, 1));
            await _store.AppendAsync(Append($"job/h2/{i:00}", 0, 1));
            await _store.AppendAsync(Append($"peer/{i:00}", 0, 1));
        }

        List<string> seen = [];
        long? cursor = null;
        int pages = 0;
        do
        {
            EntityPage page = await _store.ListAsync("job/h1/", cursor, 10);
            seen.AddRange(page.Entities.Select(e => e.PersistenceId));
            cursor = page.Next;
            pages++;
        }
        while (cursor is not null);

        Assert.Equal(3, pages);
        Assert.Equal(Enumerable.Range(0, 25).Reverse().Select(i => $"job/h1/{i:00}"), seen);
    }

    [Fact]
    public async Task Summary_tells_sequence_manifest_and_times()
    {
        await _store.AppendAsync(Append("job/h/1", 0, 1, manifest: "accepted"));
        await _store.AppendAsync(Append("job/h/1", 1, 2, manifest: "completed"));
        EntitySummary summary = Assert.Single((await _store.ListAsync("job/", null, 10)).Entities);
        Assert.Equal((3L, "completed", 1_700_000_000_001L, 1_700_000_000_003L), (summary.HighestSequence, summary.LastManifest, summary.FirstAt, summary.LastAt));
    }

    [Fact]
    public async Task Open_finds_only_entities_whose_last_event_does_not_close_them()
    {
        await _store.AppendAsync(Append("job/h/open", 0, 1, manifest: "accepted"));
        await _store.AppendAsync(Append("job/h/retry", 0, 1, manifest: "retrying"));
        await _store.AppendAsync(Append("job/h/done", 0, 1, manifest: "accepted"));
        await _store.AppendAsync(Append("job/h/done", 1, 1, manifest: "completed"));
        await _store.AppendAsync(Append("job/other/open", 0, 1, manifest: "accepted"));
        await _store.AppendAsync(Append("peer/x", 0, 1, manifest: "seen"));

        IReadOnlyList<EntitySummary> open = await _store.OpenAsync("job/h/", new HashSet<string> { "completed", "failed" }, 100);
        Assert.Equal(["job/h/open", "job/h/retry"], open.Select(e => e.PersistenceId).Order());
        Assert.Equal("job/h/retry", Assert.Single(await _store.OpenAsync("job/h/", new HashSet<string> { "completed", "failed" }, 1, wanted: id => id != "job/h/open")).PersistenceId);
    }

    [Fact]
    public async Task Prefix_is_taken_literally()
    {
        await _store.AppendAsync(Append("job/a_b/1", 0, 1));
        await _store.AppendAsync(Append("job/axb/1", 0, 1));
        Assert.Equal("job/a_b/1", Assert.Single((await _store.ListAsync("job/a_b", null, 10)).Entities).PersistenceId);
        Assert.Empty((await _store.ListAsync("job/%", null, 10)).Entities);
    }
}
