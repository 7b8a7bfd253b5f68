using System.Globalization;
using System.Text;

namespace AgentMesh.Journal.Tests.Crash;

/// <summary>What runs in the process that is killed: it writes without end and reports each acknowledgement on its standard output.</summary>
internal static class Victim
{
    public const int Writers = 8;

    public static async Task<int> WriteEvents(string path)
    {
        using SqliteEventStore store = SqliteEventStore.Open(new EventStoreSettings { Path = path }, TimeProvider.System);
        using Stream output = Console.OpenStandardOutput();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            string id = $"job/h/{w}";
            long sequence = await store.ReadHighestSequenceAsync(id);
            while (true)
            {
                // Varying batches, so that commits end at all kinds of places.
                EventAppend append = Events.StoreFixture.Append(id, sequence, 1 + ((int)sequence % 3), bytes: 200);
                AppendResult result = await store.AppendAsync(append);
                sequence = result.HighestSequence;
                Report(output, $"{id} {sequence}\n");
            }
        }));
        return 0;
    }

    /// <summary>The entity that a member of a pool writes to.</summary>
    public const string PoolEntity = "job/h/contested";

    /// <summary>Appends as fast as it can, and tells how each went; ends with the first refusal.</summary>
    public static async Task<int> WriteAsMember(string connection)
    {
        await using PostgresPool pool = PostgresPool.Open(
            new PostgresSettings { Pool = "zombie", ConnectionString = connection, Device = "zombie", DeviceName = "zombie", Lease = TimeSpan.FromSeconds(2) }, TimeProvider.System);
        using StoreLease<PostgresEventStore> lease = pool.Acquire(pool);
        using Stream output = Console.OpenStandardOutput();
        long at = await lease.Store.ReadHighestSequenceAsync(PoolEntity);
        while (true)
        {
            string how;
            try
            {
                AppendResult result = await lease.Store.AppendAsync(Events.StoreFixture.Append(PoolEntity, at, 1));
                at = result.HighestSequence;
                how = result.Status == AppendStatus.Stored ? "stored" : $"refused {result.Status}";
            }
            catch (AgentMesh.Errors.MeshException refused)
            {
                how = $"refused {refused.Code}";
            }

            Report(output, $"{how} {at}\n");
            if (how[0] == 'r')
            {
                return 0;
            }
        }
    }

    public static async Task<int> WriteOutput(string directory)
    {
        using OutputStore store = OutputStore.Open(new OutputStoreSettings { Directory = directory }, TimeProvider.System);
        using Stream output = Console.OpenStandardOutput();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            OutputAddress address = new($"job/h/{w}", 1, OutputStreamKind.Stdout);
            long length = 0;
            while (true)
            {
                byte[] line = Encoding.UTF8.GetBytes(Line(length));
                length = (await store.AppendAsync(address, length, line)).Length;
                Report(output, $"{address.JobId} {length}\n");
            }
        }));
        return 0;
    }

    /// <summary>A quick figure by hand: <c>dotnet exec AgentMesh.Journal.Tests.dll measure DIRECTORY</c>.</summary>
    public static async Task<int> Measure(string directory)
    {
        const int writers = 200;
        using (SqliteEventStore store = SqliteEventStore.Open(new EventStoreSettings { Path = Path.Combine(directory, "journal.db") }, TimeProvider.System))
        {
            long start = TimeProvider.System.GetTimestamp();
            long[] counts = await Task.WhenAll(Enumerable.Range(0, writers).Select(async w =>
            {
                long n = await store.ReadHighestSequenceAsync($"job/h/{w}");
                long first = n;
                while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
                {
                    n = (await store.AppendAsync(Events.StoreFixture.Append($"job/h/{w}", n, 1, bytes: 200))).HighestSequence;
                }

                return n - first;
            }));
            Console.WriteLine($"events: {counts.Sum() / 3.0:F0}/s acknowledged, {writers} writers, {store.Commits / 3.0:F0} commits/s, {SqliteEventStore.Durability}");
            start = TimeProvider.System.GetTimestamp();
            long one = await store.ReadHighestSequenceAsync("job/h/one");
            long before = one;
            while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(1))
            {
                one = (await store.AppendAsync(Events.StoreFixture.Append("job/h/one", one, 1, bytes: 200))).HighestSequence;
            }

            Console.WriteLine($"events: {one - before}/s, one writer");
            start = TimeProvider.System.GetTimestamp();
            List<StoredEvent> events = await Events.StoreFixture.ReplayAll(store, "job/h/one", Math.Max(1, one - 99));
            Console.WriteLine($"replay of {events.Count}: {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:F2} ms");
        }

        using (OutputStore store = OutputStore.Open(new OutputStoreSettings { Directory = Path.Combine(directory, "output") }, TimeProvider.System))
        {
            byte[] chunk = new byte[256 * 1024];
            OutputAddress address = new("job/h/big", 1, OutputStreamKind.Stdout);
            long length = store.GetState(address).Length;
            long first = length;
            long start = TimeProvider.System.GetTimestamp();
            Queue<Task<OutputAppendResult>> inFlight = new();
            while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
            {
                inFlight.Enqueue(store.AppendAsync(address, length, chunk));
                length += chunk.Length;
                if (inFlight.Count > 32)
                {
                    await inFlight.Dequeue();
                }
            }

            await Task.WhenAll(inFlight);
            Console.WriteLine($"output: {(length - first) / 3e6:F0} MB/s acknowledged, one stream");
        }

        return 0;
    }

    public static async Task<int> Hold(string path)
    {
        using SqliteEventStore store = SqliteEventStore.Open(new EventStoreSettings { Path = path }, TimeProvider.System);
        using Stream output = Console.OpenStandardOutput();
        Report(output, "open\n");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>The text that stands at an offset, so that a reader can tell what must be there.</summary>
    public static string Line(long offset) => offset.ToString("D9", CultureInfo.InvariantCulture) + new string('.', (int)(offset % 90)) + "\n";

    private static void Report(Stream output, string line)
    {
        lock (output)
        {
            output.Write(Encoding.ASCII.GetBytes(line));
        }
    }
}
