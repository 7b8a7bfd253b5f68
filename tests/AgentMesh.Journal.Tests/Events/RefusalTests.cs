using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using Microsoft.Data.Sqlite;
using static AgentMesh.Journal.Tests.Events.StoreFixture;

namespace AgentMesh.Journal.Tests.Events;

public sealed class RefusalTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _path;

    public RefusalTests() => _path = _directory.File("journal.db");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_opener_is_told_who_holds_the_journal()
    {
        using SqliteEventStore first = Open(_path);
        MeshException e = Assert.Throws<MeshException>(() => Open(_path));
        Assert.Equal(JournalErrors.Locked, e.Code);
        Assert.Contains($"process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_and_left_alone()
    {
        byte[] text = "this is not a database, it is a text of some length......................................................................"u8.ToArray();
        File.WriteAllBytes(_path, text);
        Assert.Equal(JournalErrors.NotAJournal, Assert.Throws<MeshException>(() => Open(_path)).Code);
        Assert.Equal(text, File.ReadAllBytes(_path));
    }

    [Fact]
    public void The_database_of_another_program_is_refused()
    {
        Sql("CREATE TABLE t (x)");
        Assert.Equal(JournalErrors.NotAJournal, Assert.Throws<MeshException>(() => Open(_path)).Code);
    }

    [Fact]
    public void A_newer_format_is_refused()
    {
        Open(_path).Dispose();
        Sql("PRAGMA user_version = 2");
        MeshException e = Assert.Throws<MeshException>(() => Open(_path));
        Assert.Equal(JournalErrors.NewerFormat, e.Code);
        Assert.Contains("format 2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_replaced_by_an_older_one_is_refused()
    {
        using (SqliteEventStore store = Open(_path))
        {
            await store.AppendAsync(Append("a", 0, 1));
        }

        byte[] old = File.ReadAllBytes(_path);
        using (SqliteEventStore store = Open(_path))
        {
            await store.AppendAsync(Append("a", 1, 1));
        }

        File.WriteAllBytes(_path, old);
        MeshException e = Assert.Throws<MeshException>(() => Open(_path));
        Assert.Equal(JournalErrors.Damaged, e.Code);

        // Accepting the loss is a decision of a person, and is possible.
        File.Delete(_path + ".ack");
        using SqliteEventStore again = Open(_path);
        Assert.Single(await ReplayAll(again, "a"));
    }

    [Fact]
    public async Task A_missing_file_with_acknowledged_commits_is_refused()
    {
        using (SqliteEventStore store = Open(_path))
        {
            await store.AppendAsync(Append("a", 0, 1));
        }

        File.Delete(_path);
        Assert.Equal(JournalErrors.Damaged, Assert.Throws<MeshException>(() => Open(_path)).Code);
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task A_flipped_bit_in_a_payload_is_found_when_it_is_read()
    {
        using (SqliteEventStore store = Open(_path))
        {
            await store.AppendAsync(new EventAppend("a", 0, 1, [Event(1, "hello-payload")], 0));
        }

        Flip("hello-payload"u8);
        using SqliteEventStore again = Open(_path);
        await FailsWith(JournalErrors.Damaged, () => ReplayAll(again, "a"));
    }

    [Fact]
    public async Task A_missing_event_is_found_when_its_entity_is_read()
    {
        using (SqliteEventStore store = Open(_path))
        {
            await store.AppendAsync(Append("a", 0, 3));
            await store.AppendAsync(Append("b", 0, 3));
            await store.AppendAsync(Append("c", 0, 3));
        }

        Sql("DELETE FROM events WHERE entity_key = 1 AND sequence_nr = 1; DELETE FROM events WHERE entity_key = 2 AND sequence_nr = 2; DELETE FROM events WHERE entity_key = 3 AND sequence_nr = 3");
        using SqliteEventStore again = Open(_path);
        await FailsWith(JournalErrors.Damaged, () => ReplayAll(again, "a"));
        await FailsWith(JournalErrors.Damaged, () => ReplayAll(again, "b"));
        await FailsWith(JournalErrors.Damaged, () => ReplayAll(again, "c"));
        Assert.Single(await ReplayAll(again, "b", 1, 1));
    }

    [Fact]
    public async Task When_the_room_is_used_up_nothing_half_written_stays_and_small_writes_go_on()
    {
        using SqliteEventStore store = Open(_path, s => s with { FileBytesMax = 256 * 1024 });
        await store.AppendAsync(Append("a", 0, 1));
        MeshException e = await FailsWith(JournalErrors.DiskFull, () => store.AppendAsync(Append("a", 1, 8, bytes: 100_000)));
        Assert.Contains("nothing was stored", e.Message, StringComparison.Ordinal);
        Assert.Single(await ReplayAll(store, "a"));
        Assert.Equal(1, await store.ReadHighestSequenceAsync("a"));
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(Append("a", 1, 1))).Status);
    }

    [Fact]
    public async Task A_write_too_big_for_the_room_does_not_fail_its_neighbours()
    {
        using SqliteEventStore store = Open(_path, s => s with { FileBytesMax = 256 * 1024 });
        Task<AppendResult>[] small = [.. Enumerable.Range(0, 20).Select(i => store.AppendAsync(Append($"s{i}", 0, 1)))];
        Task<AppendResult> big = store.AppendAsync(Append("big", 0, 8, bytes: 100_000));
        Task<AppendResult>[] more = [.. Enumerable.Range(20, 20).Select(i => store.AppendAsync(Append($"s{i}", 0, 1)))];
        await FailsWith(JournalErrors.DiskFull, () => big);
        Assert.All(await Task.WhenAll([.. small, .. more]), r => Assert.Equal(AppendStatus.Stored, r.Status));
    }

    [Fact]
    public async Task A_stuck_file_fails_the_append_at_its_deadline_and_no_write_comes_late()
    {
        ManualTime time = new();
        using SqliteEventStore store = Open(_path, time: time);
        await store.AppendAsync(Append("a", 0, 1));
        using ManualResetEventSlim isWriting = new(), goesOn = new();
        Task<long> recovery;
        try
        {
            Task<AppendResult> inFlight = store.Writer.Enqueue("a", 1, statements =>
            {
                AppendResult result = EventWrites.Append(statements, Append("a", 1, 1), 0);
                isWriting.Set();
                goesOn.Wait();
                return result;
            });
            isWriting.Wait();
            time.Advance(Ample);
            MeshException open = await FailsWith(JournalErrors.Timeout, () => inFlight);
            Assert.Contains("it may still be stored", open.Message, StringComparison.Ordinal);
            Task<AppendResult> queued = store.AppendAsync(Append("b", 0, 1));
            time.Advance(Ample);
            MeshException never = await FailsWith(JournalErrors.Timeout, () => queued);
            Assert.Contains("nothing was stored", never.Message, StringComparison.Ordinal);

            // A recovery waits until the write that was given up is decided, so it reads the truth.
            recovery = store.ReadHighestSequenceAsync("a");
            Assert.False(recovery.IsCompleted);
        }
        finally
        {
            goesOn.Set();
        }

        Assert.Equal(2, await recovery);
        Assert.Equal(2, (await ReplayAll(store, "a")).Count);
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(Append("a", 2, 1))).Status);
        Assert.Empty(await ReplayAll(store, "b"));
    }

    [Fact]
    public async Task A_recovery_reads_behind_the_writes_of_its_entity_that_are_on_their_way()
    {
        using SqliteEventStore store = Open(_path);
        await store.AppendAsync(Append("a", 0, 1));
        await store.AppendAsync(Append("c", 0, 1));
        Task<long> inFlight, queued;
        Task<StoredSnapshot?> snapshot;
        using (SqliteConnection blocker = Connect())
        {
            Execute(blocker, "BEGIN IMMEDIATE");
            _ = store.AppendAsync(Append("a", 1, 1));
            _ = store.AppendAsync(Append("b", 0, 1));
            _ = store.AppendAsync(Append("b", 1, 1));
            _ = store.SaveSnapshotAsync(new StoredSnapshot("b", 2, 1, 17, "S", [1]));
            inFlight = store.ReadHighestSequenceAsync("a");
            queued = store.ReadHighestSequenceAsync("b");
            snapshot = store.FindSnapshotAsync("b", SnapshotBounds.All);

            // Others do not wait.
            Assert.Equal(1, await store.ReadHighestSequenceAsync("c"));
            Assert.Equal((false, false, false), (inFlight.IsCompleted, queued.IsCompleted, snapshot.IsCompleted));
            Execute(blocker, "ROLLBACK");
        }

        Assert.Equal((2, 2), (await inFlight, await queued));
        Assert.Equal(2, (await snapshot)!.SequenceNr);
    }

    [Fact]
    public async Task Beyond_its_bound_the_queue_refuses_at_once()
    {
        using SqliteEventStore store = Open(_path, s => s with { QueuedWritesMax = 4 });
        using SqliteConnection blocker = Connect();
        Execute(blocker, "BEGIN IMMEDIATE");
        Task<AppendResult>[] all = [.. Enumerable.Range(0, 50).Select(i => store.AppendAsync(Append($"n{i}", 0, 1)))];
        MeshException e = (MeshException)all[^1].Exception!.InnerException!;
        Assert.Equal(JournalErrors.Overloaded, e.Code);
        Execute(blocker, "ROLLBACK");
        AppendResult[] stored = await Task.WhenAll(all.Where(t => !t.IsFaulted));
        Assert.InRange(stored.Length, 4, 49);
        Assert.All(stored, r => Assert.Equal(AppendStatus.Stored, r.Status));
    }

    [Fact]
    public void One_store_is_shared_within_the_process_and_closes_with_its_last_lease()
    {
        EventStoreSettings settings = new() { Path = _path };
        StoreLease<SqliteEventStore> first = EventStoreRegistry.Acquire(settings, TimeProvider.System);
        StoreLease<SqliteEventStore> second = EventStoreRegistry.Acquire(settings, TimeProvider.System);
        Assert.Same(first.Store, second.Store);
        first.Dispose();
        Assert.Throws<MeshException>(() => Open(_path));
        second.Dispose();
        Open(_path).Dispose();
    }

    private SqliteConnection Connect()
    {
        SqliteConnection connection = new($"Data Source={_path};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Sql(string sql)
    {
        using SqliteConnection connection = Connect();
        Execute(connection, sql);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private void Flip(ReadOnlySpan<byte> at)
    {
        byte[] bytes = File.ReadAllBytes(_path);
        int index = bytes.AsSpan().IndexOf(at);
        Assert.True(index > 0);
        bytes[index] ^= 4;
        File.WriteAllBytes(_path, bytes);
    }
}
