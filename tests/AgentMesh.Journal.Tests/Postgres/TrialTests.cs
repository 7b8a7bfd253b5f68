using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Journal.Tests.Crash;
using AgentMesh.Journal.Tests.Events;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>What must be survived: a lost answer, a crash of the database, an owner that was stopped and resumed. Each checks the journal itself afterwards.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TrialTests(PostgresFixture postgres)
{
    private const string Id = "job/h/1";

    [SkippableFact]
    public async Task An_append_whose_answer_is_lost_fails_and_is_found_once_by_the_recovery()
    {
        string database = postgres.Server.NewDatabase();
        using DatabaseProxy proxy = new(postgres.Server);
        await using TestPool pool = new(proxy.ConnectionString(database));
        PostgresEventStore store = pool.NewStore();
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 0, 1))).Status);
        long epoch = store.Session.Holdings[LeaseKey.Of(Id)];

        proxy.SwallowCommits(1);
        await StoreFixture.FailsWith(JournalErrors.StorageFailed, () => store.AppendAsync(StoreFixture.Append(Id, 1, 1)));
        Assert.Equal(1, proxy.Swallowed);

        // The recovery takes the shard anew before it reads, so that what it reads cannot change behind it.
        Assert.Equal(2, await store.ReadHighestSequenceAsync(Id));
        Assert.Equal(epoch + 1, store.Session.Holdings[LeaseKey.Of(Id)]);
        Assert.Equal(AppendStatus.WrongSequence, (await store.AppendAsync(StoreFixture.Append(Id, 1, 1))).Status);
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 2, 1))).Status);
        Assert.Equal([1L, 2L, 3L], await NumbersAsync(store));
    }

    [SkippableFact]
    public async Task Every_acknowledged_event_is_there_after_a_crash_of_the_database()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using PostgresServer server = new();
        await using TestPool pool = new(server.NewDatabase());
        PostgresEventStore store = pool.NewStore();
        long[] acknowledged = new long[6];
        using CancellationTokenSource over = new();
        TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] writers = [.. Enumerable.Range(0, acknowledged.Length).Select(w => Task.Run(async () =>
        {
            long next = 0;
            while (!over.IsCancellationRequested)
            {
                try
                {
                    AppendResult result = await store.AppendAsync(StoreFixture.Append($"job/h/{w}", next, 1 + (int)(next % 3)));
                    next = result.HighestSequence;
                    if (result.Status == AppendStatus.Stored)
                    {
                        Volatile.Write(ref acknowledged[w], next);
                        if (acknowledged.Sum() > 300)
                        {
                            enough.TrySetResult();
                        }
                    }
                }
                catch (MeshException)
                {
                    return;
                }
            }
        }))];
        await enough.Task.WaitAsync(TimeSpan.FromMinutes(2));
        server.Crash();
        await Task.WhenAll(writers);
        server.Start();

        for (int w = 0; w < acknowledged.Length; w++)
        {
            string id = $"job/h/{w}";
            long highest = await UntilAsync(() => store.ReadHighestSequenceAsync(id));
            Assert.True(highest >= acknowledged[w], $"{id}: {acknowledged[w]} was acknowledged, and {highest} is there");
            List<long> numbers = [];
            await store.ReplayAsync(id, 1, long.MaxValue, long.MaxValue, e => numbers.Add(e.SequenceNr));
            Assert.Equal(Enumerable.Range(1, (int)highest).Select(n => (long)n), numbers);
            Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(id, highest, 1))).Status);
        }
    }

    [SkippableFact]
    public async Task A_member_that_was_stopped_past_its_lease_and_resumed_writes_nothing_between_the_events_of_the_next_owner()
    {
        string database = postgres.Server.NewDatabase();
        await using TestPool pool = new(database, "next");
        using VictimProcess zombie = new("pool-member", database);
        for (int i = 0; i < 40; i++)
        {
            Assert.StartsWith("stored", zombie.ReadLine(), StringComparison.Ordinal);
        }

        Signal(zombie.Id, "STOP");
        PostgresEventStore next = pool.NewStore();
        long at = await UntilAsync(() => next.ReadHighestSequenceAsync(Victim.PoolEntity));
        for (int i = 0; i < 5; i++)
        {
            AppendResult mine = await next.AppendAsync(StoreFixture.Append(Victim.PoolEntity, at, 1));
            Assert.Equal(AppendStatus.Stored, mine.Status);
            at = mine.HighestSequence;
        }

        Signal(zombie.Id, "CONT");
        string? said;
        do
        {
            // What the stopped process still had in its pipe was acknowledged before.
            said = zombie.ReadLine();
        }
        while (said?.StartsWith("stored", StringComparison.Ordinal) == true);

        Assert.NotNull(said);
        Assert.StartsWith("refused", said, StringComparison.Ordinal);
        Assert.Equal(AppendStatus.Stored, (await next.AppendAsync(StoreFixture.Append(Victim.PoolEntity, at, 1))).Status);
        List<(long Number, long Epoch)> events = [];
        await next.ReplayAsync(Victim.PoolEntity, 1, long.MaxValue, long.MaxValue, e => events.Add((e.SequenceNr, e.Epoch)));
        Assert.Equal(at + 1, events.Count);
        Assert.Equal(events.Select(e => e.Epoch).Order(), events.Select(e => e.Epoch));
        Assert.Equal(6, events.Count(e => e.Epoch == events[^1].Epoch));
    }

    [SkippableFact]
    public async Task A_writer_that_was_stopped_inside_its_transaction_does_not_keep_the_shard()
    {
        await using TestPool pool = new(postgres.Server.NewDatabase(), lease: TimeSpan.FromSeconds(8));
        PostgresEventStore first = pool.NewStore();
        await first.AppendAsync(StoreFixture.Append(Id, 0, 1));
        long epoch = first.Session.Holdings[LeaseKey.Of(Id)];
        int idle = (int)(pool.Settings.Lease / 2).TotalMilliseconds;
        await using NpgsqlConnection stopped = new($"{pool.Settings.ConnectionString};Pooling=false;Options=-c idle_in_transaction_session_timeout={idle}");
        await stopped.OpenAsync();
        await using NpgsqlTransaction transaction = await stopped.BeginTransactionAsync();
        await using (NpgsqlCommand holds = new("SELECT agentmesh.holds('h', $1, $2)", stopped))
        {
            holds.Parameters.Add(new NpgsqlParameter<string> { TypedValue = LeaseKey.Of(Id).Shard });
            holds.Parameters.Add(new NpgsqlParameter<long> { TypedValue = epoch });
            Assert.Equal(true, await holds.ExecuteScalarAsync());
        }

        await first.DisposeAsync();
        PostgresEventStore second = pool.NewStore();
        Assert.Equal(1, await UntilAsync(() => second.ReadHighestSequenceAsync(Id)));
        await Assert.ThrowsAnyAsync<Exception>(() => transaction.CommitAsync());
    }

    [SkippableFact]
    public async Task A_member_without_its_database_stops_acting_when_its_lease_ends_and_begins_again_when_it_is_back()
    {
        string database = postgres.Server.NewDatabase();
        using DatabaseProxy proxy = new(postgres.Server);
        await using TestPool pool = new(proxy.ConnectionString(database), lease: TimeSpan.FromSeconds(6), change: s => s with { TakeTimeout = TimeSpan.FromSeconds(1) });
        PostgresEventStore store = pool.NewStore();
        await store.AppendAsync(StoreFixture.Append(Id, 0, 1));
        TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Session.Lost += () => lost.TrySetResult();
        proxy.Refuses = true;
        await lost.Task.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.False(store.Session.IsLive);
        Assert.Empty(store.Session.Holdings);
        await Assert.ThrowsAsync<MeshException>(() => store.AppendAsync(StoreFixture.Append(Id, 1, 1)));
        await Assert.ThrowsAsync<MeshException>(() => store.ReadHighestSequenceAsync(Id));
        proxy.Refuses = false;
        Assert.Equal(1, await UntilAsync(() => store.ReadHighestSequenceAsync(Id)));
        Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(StoreFixture.Append(Id, 1, 1))).Status);
    }

    private static async Task<List<long>> NumbersAsync(PostgresEventStore store)
    {
        List<long> numbers = [];
        await store.ReplayAsync(Id, 1, long.MaxValue, long.MaxValue, e => numbers.Add(e.SequenceNr));
        return numbers;
    }

    private static async Task<T> UntilAsync<T>(Func<Task<T>> ask)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                return await ask();
            }
            catch (MeshException) when (i < 60)
            {
                await Task.Delay(500);
            }
        }
    }

    private static void Signal(int process, string signal)
    {
        using System.Diagnostics.Process kill = System.Diagnostics.Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
