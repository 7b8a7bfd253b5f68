using System.Security.Cryptography;
using AgentMesh.Errors;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>Trial 2 of docs/trials.md on PostgreSQL: its disk is full, for the tables alone or for everything, and then there is room again.</summary>
public sealed class FullDiskTests
{
    private const int Writers = 4;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    [SkippableFact]
    public async Task A_full_tablespace_refuses_with_its_code_loses_nothing_and_takes_writes_again_when_there_is_room()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        Skip.If(SmallDisk.WhyNot is not null, SmallDisk.WhyNot);
        using var server = new PostgresServer();
        using var directory = new TempDirectory();
        using var disk = new SmallDisk(directory.Path, 16);
        await using (TestPool pool = new(server.NewDatabase(disk)))
        {
            PostgresEventStore store = pool.NewStore();
            long[] acknowledged = new long[Writers];
            MeshException refused = await FillAsync(store, acknowledged);
            Assert.Equal(JournalErrors.DiskFull, refused.Code);
            Assert.NotNull(refused.NextStep);

            // What stands there is read meanwhile.
            await CheckAsync(store, acknowledged);

            disk.Resize(64);
            await WriteAgainAsync(store, acknowledged);
            await CheckAsync(store, acknowledged);
        }

        NpgsqlConnection.ClearAllPools();
    }

    [SkippableFact]
    public async Task A_server_that_ends_because_its_log_has_no_room_has_kept_everything_acknowledged_and_goes_on_with_more()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        Skip.If(SmallDisk.WhyNot is not null, SmallDisk.WhyNot);
        using var server = new PostgresServer(diskMegabytes: 52);
        await using TestPool pool = new(server.NewDatabase(), lease: TimeSpan.FromSeconds(4), change: s => s with { AppendTimeout = TimeSpan.FromSeconds(20), TakeTimeout = TimeSpan.FromSeconds(2) });
        PostgresEventStore store = pool.NewStore();
        long[] acknowledged = new long[Writers];
        MeshException refused = await FillAsync(store, acknowledged);
        Assert.Contains(refused.Code, (string[])[JournalErrors.DiskFull, JournalErrors.StorageFailed, JournalErrors.DatabaseUnreachable, JournalErrors.LeaseLost]);

        server.ResizeDisk(120);
        await WriteAgainAsync(store, acknowledged, server);
        await CheckAsync(store, acknowledged);
    }

    /// <summary>Writes until each writer has been refused three times, with nothing stored in between.</summary>
    /// <returns>Why the last one was.</returns>
    private static async Task<MeshException> FillAsync(PostgresEventStore store, long[] acknowledged)
    {
        MeshException? why = null;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            for (int refusals = 0, written = 0; refusals < 3; written++)
            {
                Assert.True(written < 2_000, "the disk does not become full");
                try
                {
                    AppendResult result = await store.AppendAsync(Large(w, acknowledged[w]));
                    refusals = result.Status == AppendStatus.Stored ? 0 : refusals + 1;
                    acknowledged[w] = result.HighestSequence;
                }
                catch (MeshException refused)
                {
                    refusals++;
                    why = refused;
                }
            }
        })).WaitAsync(Bound);
        return why!;
    }

    /// <param name="server">Is started again should it end, or have ended.</param>
    private static async Task WriteAgainAsync(PostgresEventStore store, long[] acknowledged, PostgresServer? server = null)
    {
        for (int w = 0; w < Writers; w++)
        {
            long began = TimeProvider.System.GetTimestamp();
            for (bool isStored = false; !isStored;)
            {
                try
                {
                    // As a recovery does: what was not answered may be stored.
                    long highest = await store.ReadHighestSequenceAsync(IdOf(w));
                    Assert.True(highest >= acknowledged[w], $"{IdOf(w)}: {acknowledged[w]} was acknowledged, and {highest} is there");
                    AppendResult result = await store.AppendAsync(Large(w, highest));
                    isStored = result.Status == AppendStatus.Stored;
                    acknowledged[w] = result.HighestSequence;
                }
                catch (MeshException) when (TimeProvider.System.GetElapsedTime(began) < Bound)
                {
                    await Task.Delay(200);
                    server?.StartIfDown();
                }
            }
        }
    }

    /// <summary>Each event that was acknowledged is there, once and whole, and whatever is there follows each other.</summary>
    private static async Task CheckAsync(PostgresEventStore store, long[] acknowledged)
    {
        for (int w = 0; w < Writers; w++)
        {
            List<long> numbers = [];
            await store.ReplayAsync(IdOf(w), 1, long.MaxValue, long.MaxValue, e => numbers.Add(e.SequenceNr));
            Assert.True(numbers.Count >= acknowledged[w], $"{IdOf(w)}: {acknowledged[w]} were acknowledged, and {numbers.Count} are there");
            Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => (long)n), numbers);
        }
    }

    private static string IdOf(int writer) => $"job/h/{writer}";

    /// <summary>Of bytes that no compression makes smaller.</summary>
    private static EventAppend Large(int writer, long previous) =>
        new(IdOf(writer), previous, previous + 1, [new EventRecord(previous + 1, 17, "E", RandomNumberGenerator.GetBytes(30_000), "writer", 1_700_000_000_000 + previous)], 0);
}
