using System.Diagnostics;
using AgentMesh.Journal;
using AgentMesh.Journal.Tests.Postgres;

namespace Benchmarks;

/// <summary>The journal of a pool beside that of a device: acknowledged events, and the reads of a recovery. PostgreSQL flushes each commit and stands on the same machine.</summary>
internal static class JournalBenchmark
{
    private const int Writers = 200;
    private const int EventBytes = 200;
    private const int Recoveries = 200;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(4);

    private delegate Task<AppendResult> Append(EventAppend append);

    public static async Task RunAsync(Report report)
    {
        report.Part($"journal; {SqliteEventStore.Durability}; {PostgresEventStore.Durability}");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("am-bench-");
        try
        {
            using SqliteEventStore sqlite = SqliteEventStore.Open(new EventStoreSettings { Path = Path.Combine(directory.FullName, "journal.db") }, TimeProvider.System);
            long epoch = await sqlite.BeginEpochAsync();
            double sqliteRate = await ThroughputAsync(append => sqlite.AppendAsync(append with { Epoch = epoch }), Writers);
            double sqliteRecovery = await RecoveryAsync(
                append => sqlite.AppendAsync(append with { Epoch = epoch }), sqlite.SaveSnapshotAsync, id => sqlite.FindSnapshotAsync(id, SnapshotBounds.All), sqlite.ReplayAsync);
            report.Line("persist, SQLite, 200 writers of 200 bytes", sqliteRate, null, "events/s", includes: "acknowledged");
            report.Line("reads of a recovery, SQLite, p50", sqliteRecovery, null, "ms", lowerIsBetter: true, includes: "a snapshot of 2 KiB and 100 events");
            if (PostgresServer.WhyNot is { } reason)
            {
                report.Note($"PostgreSQL is skipped: {reason}");
                return;
            }

            using PostgresServer server = new(flushes: true);
            await using PostgresPool pool = PostgresPool.Open(new PostgresSettings { Pool = "pool-bench", Device = "bench", ConnectionString = server.NewDatabase() }, TimeProvider.System);
            using StoreLease<PostgresEventStore> lease = pool.Acquire(pool);
            PostgresEventStore store = lease.Store;
            await store.ReadHighestSequenceAsync("job/pool-bench/first");
            report.Line("persist, PostgreSQL, 200 writers of 200 bytes", await ThroughputAsync(store.AppendAsync, Writers), sqliteRate, "events/s", "SQLite", includes: "acknowledged; fenced by epoch and sequence number");
            report.Line("persist, PostgreSQL, one writer", await ThroughputAsync(store.AppendAsync, 1), null, "events/s", includes: "one commit each");
            report.Line(
                "reads of a recovery, PostgreSQL, p50",
                await RecoveryAsync(store.AppendAsync, store.SaveSnapshotAsync, id => store.FindSnapshotAsync(id, SnapshotBounds.All), store.ReplayAsync),
                sqliteRecovery,
                "ms",
                "SQLite",
                lowerIsBetter: true,
                includes: "a snapshot of 2 KiB and 100 events; the shard is held");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<double> ThroughputAsync(Append append, int writers)
    {
        long count = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(async w =>
        {
            string id = $"job/pool-bench/{writers}-{w}";
            for (long next = 0; watch.Elapsed < Duration; next++)
            {
                AppendResult result = await append(new EventAppend(id, next, next + 1, [Event(next + 1)], 0));
                if (result.Status != AppendStatus.Stored)
                {
                    throw new InvalidOperationException($"{result}");
                }

                Interlocked.Increment(ref count);
            }
        }));
        return count / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> RecoveryAsync(
        Append append, Func<StoredSnapshot, Task> save, Func<string, Task<StoredSnapshot?>> find, Func<string, long, long, long, Action<StoredEvent>, CancellationToken, Task> replay)
    {
        for (int i = 0; i < 20; i++)
        {
            string id = $"job/pool-bench/recovered-{i}";
            await append(new EventAppend(id, 0, 200, [.. Enumerable.Range(1, 200).Select(n => Event(n))], 0));
            await save(new StoredSnapshot(id, 100, 1, 1, "snapshot", new byte[2048]));
        }

        List<double> times = [];
        for (int i = 0; i < Recoveries; i++)
        {
            string id = $"job/pool-bench/recovered-{i % 20}";
            int events = 0;
            long began = Stopwatch.GetTimestamp();
            StoredSnapshot snapshot = (await find(id))!;
            await replay(id, snapshot.SequenceNr + 1, long.MaxValue, long.MaxValue, _ => events++, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (events != 100)
            {
                throw new InvalidOperationException($"{events} events");
            }
        }

        return Report.Percentile(times, 0.5);
    }

    private static EventRecord Event(long number) => new(number, 1, "event", new byte[EventBytes], "w", 1_700_000_000_000);
}
