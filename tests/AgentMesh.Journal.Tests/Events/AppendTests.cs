using static AgentMesh.Journal.Tests.Events.StoreFixture;

namespace AgentMesh.Journal.Tests.Events;

public sealed class AppendTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly SqliteEventStore _store;

    public AppendTests() => _store = Open(_directory.File("journal.db"));

    public void Dispose()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Replays_what_was_appended_with_all_its_fields()
    {
        EventRecord written = new(1, 42, "job.accepted.1", [0, 1, 255], "guid", 123);
        AppendResult result = await _store.AppendAsync(new EventAppend("job/h/1", 0, 1, [written], 3));
        Assert.Equal(new AppendResult(AppendStatus.Stored, 1, 3), result);

        StoredEvent read = Assert.Single(await ReplayAll(_store, "job/h/1"));
        Assert.Equal(("job/h/1", 1L, 3L, 42, "job.accepted.1", "guid", 123L), (read.PersistenceId, read.SequenceNr, read.Epoch, read.SerializerId, read.Manifest, read.WriterGuid, read.Timestamp));
        Assert.Equal(new byte[] { 0, 1, 255 }, read.Payload);
    }

    [Fact]
    public async Task Stores_an_empty_payload()
    {
        await _store.AppendAsync(new EventAppend("a", 0, 1, [new EventRecord(1, 1, "", [], "", 0)], 0));
        Assert.Empty(Assert.Single(await ReplayAll(_store, "a")).Payload);
    }

    [Theory]
    [InlineData(1, 10, long.MaxValue, "1 2 3 4 5 6 7 8 9 10")]
    [InlineData(3, 5, long.MaxValue, "3 4 5")]
    [InlineData(3, long.MaxValue, 2, "3 4")]
    [InlineData(5, 4, long.MaxValue, "")]
    [InlineData(1, 10, 0, "")]
    [InlineData(11, 20, 5, "")]
    public async Task Replay_honours_from_to_and_max(long from, long to, long max, string expected)
    {
        await _store.AppendAsync(Append("a", 0, 10));
        Assert.Equal(expected, string.Join(' ', (await ReplayAll(_store, "a", from, to, max)).Select(e => e.SequenceNr)));
    }

    [Fact]
    public async Task Refuses_a_wrong_expected_sequence_and_stores_nothing()
    {
        await _store.AppendAsync(Append("a", 0, 2));
        Assert.Equal(new AppendResult(AppendStatus.WrongSequence, 2, 0), await _store.AppendAsync(Append("a", 0, 2)));
        Assert.Equal(new AppendResult(AppendStatus.WrongSequence, 2, 0), await _store.AppendAsync(Append("a", 3, 1)));
        Assert.Equal(2, (await ReplayAll(_store, "a")).Count);
    }

    [Fact]
    public async Task Refuses_an_older_epoch_once_a_newer_one_has_written()
    {
        long old = await _store.BeginEpochAsync();
        long current = await _store.BeginEpochAsync();
        Assert.True(current > old);
        await _store.AppendAsync(Append("a", 0, 1, old));
        await _store.AppendAsync(Append("a", 1, 1, current));
        Assert.Equal(new AppendResult(AppendStatus.OlderEpoch, 2, current), await _store.AppendAsync(Append("a", 2, 1, old)));
        Assert.Equal(AppendStatus.Stored, (await _store.AppendAsync(Append("b", 0, 1, old))).Status);
    }

    [Fact]
    public async Task A_refused_append_does_not_fail_its_neighbours()
    {
        await _store.AppendAsync(Append("a", 0, 1));
        Task<AppendResult>[] all = [.. Enumerable.Range(0, 100).Select(i => _store.AppendAsync(i % 3 == 0 ? Append("a", 7, 1) : Append($"n{i}", 0, 1)))];
        AppendResult[] results = await Task.WhenAll(all);
        for (int i = 0; i < results.Length; i++)
        {
            Assert.Equal(i % 3 == 0 ? AppendStatus.WrongSequence : AppendStatus.Stored, results[i].Status);
        }
    }

    [Fact]
    public async Task Many_appends_share_a_commit()
    {
        Task<AppendResult>[] all = [.. Enumerable.Range(0, 2000).Select(i => _store.AppendAsync(Append($"n{i}", 0, 1)))];
        await Task.WhenAll(all);
        Assert.InRange(_store.Commits, 1, 500);
    }

    [Fact]
    public async Task Sequence_numbers_can_be_used_up_without_an_event()
    {
        await _store.AppendAsync(Append("a", 0, 1));
        await _store.AppendAsync(new EventAppend("a", 1, 3, [], 0));
        Assert.Equal(3, await _store.ReadHighestSequenceAsync("a"));
        Assert.Equal(AppendStatus.Stored, (await _store.AppendAsync(Append("a", 3, 1))).Status);
        Assert.Equal([1L, 4L], (await ReplayAll(_store, "a")).Select(e => e.SequenceNr));
    }

    [Fact]
    public async Task Deleting_never_lowers_the_highest_sequence()
    {
        await _store.AppendAsync(Append("a", 0, 5));
        await _store.DeleteToAsync("a", 3);
        Assert.Equal([4L, 5L], (await ReplayAll(_store, "a")).Select(e => e.SequenceNr));
        await _store.DeleteToAsync("a", long.MaxValue);
        Assert.Empty(await ReplayAll(_store, "a"));
        Assert.Equal(5, await _store.ReadHighestSequenceAsync("a"));
        Assert.Equal(AppendStatus.Stored, (await _store.AppendAsync(Append("a", 5, 1))).Status);
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        await _store.AppendAsync(Append("a", 0, 5));
        _store.Dispose();
        using SqliteEventStore again = Open(_directory.File("journal.db"));
        Assert.Equal(5, (await ReplayAll(again, "a")).Count);
        Assert.Equal(AppendStatus.Stored, (await again.AppendAsync(Append("a", 5, 1))).Status);
    }

    [Fact]
    public async Task Snapshots_are_found_by_bounds_and_replaced_by_number()
    {
        foreach (long n in (long[])[10, 20, 30])
        {
            await _store.SaveSnapshotAsync(new StoredSnapshot("a", n, n * 100, 1, "S", [(byte)n]));
        }

        await _store.SaveSnapshotAsync(new StoredSnapshot("a", 20, 2000, 1, "S", [99]));
        Assert.Equal(30, (await _store.FindSnapshotAsync("a", SnapshotBounds.All))!.SequenceNr);
        Assert.Equal([99], (await _store.FindSnapshotAsync("a", SnapshotBounds.All with { MaxSequenceNr = 29 }))!.Payload);
        Assert.Equal(10, (await _store.FindSnapshotAsync("a", SnapshotBounds.All with { MaxTimestamp = 1999 }))!.SequenceNr);
        await _store.DeleteSnapshotsAsync("a", new SnapshotBounds(15, 30, 0, long.MaxValue));
        Assert.Equal(10, (await _store.FindSnapshotAsync("a", SnapshotBounds.All))!.SequenceNr);
        Assert.Null(await _store.FindSnapshotAsync("b", SnapshotBounds.All));
    }

    [Fact]
    public async Task After_dispose_writes_and_reads_fail_with_a_code()
    {
        _store.Dispose();
        await FailsWith(JournalErrors.Closed, () => _store.AppendAsync(Append("a", 0, 1)));
        await FailsWith(JournalErrors.Closed, () => _store.ReadHighestSequenceAsync("a"));
    }
}
