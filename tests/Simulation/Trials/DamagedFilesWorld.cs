using AgentMesh.Errors;
using AgentMesh.Journal;
using Simulation.Engine;

namespace Simulation.Trials;

/// <summary>
/// The SQLite journal itself on a real file: it is killed, which leaves the files as they are, and then one of them is cut, or a bit of it flips. The
/// journal must have every acknowledged event, or refuse to open or to read, with a code.
/// </summary>
internal sealed class DamagedFilesWorld(int seed, Action<string>? told) : ILoopWorld
{
    private static readonly string[] Suffixes = ["", "-wal", ".ack"];

    private readonly Dictionary<string, List<byte[]>> _acknowledged = new(StringComparer.Ordinal);

    public SimLoop Loop { get; } = new(seed) { Told = told };

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    private Random Random => Loop.Random;

    public void Run()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("agentmesh-trial-2-");
        try
        {
            string path = Path.Combine(directory.FullName, "journal.db"), image = Path.Combine(directory.FullName, "image.db");
            using (SqliteEventStore store = Open(path))
            {
                WriteAsync(store).GetAwaiter().GetResult();
                foreach (string suffix in Suffixes.Where(suffix => File.Exists(path + suffix)))
                {
                    File.Copy(path + suffix, image + suffix);
                }
            }

            Damage(image);
            Verify(image);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static SqliteEventStore Open(string path) => SqliteEventStore.Open(new EventStoreSettings { Path = path }, TimeProvider.System);

    private async Task WriteAsync(SqliteEventStore store)
    {
        long epoch = await store.BeginEpochAsync();
        int writes = Random.Next(1, 60);
        for (int write = 0; write < writes; write++)
        {
            string id = $"job/{Random.Next(5)}";
            if (!_acknowledged.TryGetValue(id, out List<byte[]>? events))
            {
                _acknowledged.Add(id, events = []);
            }

            byte[] payload = new byte[Random.Next(1, 2_000)];
            Random.NextBytes(payload);
            AppendResult result = await store.AppendAsync(new EventAppend(id, events.Count, events.Count + 1, [new EventRecord(events.Count + 1, 7, "event", payload, "writer", 0)], epoch));
            Assert.Equal(AppendStatus.Stored, result.Status);
            events.Add(payload);
        }
    }

    private void Damage(string image)
    {
        string file = image + (Loop.Chance(0.7) ? "-wal" : "");
        byte[] bytes = File.ReadAllBytes(file);
        int at = Random.Next(bytes.Length);
        string what;
        switch (Random.Next(4))
        {
            case 0:
                what = "cut";
                bytes = bytes[..at];
                break;
            case 1:
                what = "torn";
                bytes.AsSpan(at, Math.Min(512, bytes.Length - at)).Clear();
                break;
            case 2:
                what = "bit flipped";
                bytes[at] ^= (byte)(1 << Random.Next(8));
                break;
            default:
                what = "left as it was";
                break;
        }

        what = $"{(file == image ? "database" : "log")} {what}";
        Counts[what] = 1;
        Loop.Note($"{what} at {at}");
        File.WriteAllBytes(file, bytes);
    }

    private void Verify(string image)
    {
        try
        {
            using SqliteEventStore store = Open(image);
            foreach ((string id, List<byte[]> events) in _acknowledged)
            {
                var found = new List<byte[]>();
                store.ReplayAsync(id, 1, long.MaxValue, long.MaxValue, stored => found.Add(stored.Payload)).GetAwaiter().GetResult();
                Assert.True(found.Count == events.Count && found.Zip(events).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)), $"{id} has {found.Count} of {events.Count} acknowledged events, or others, and nobody is told");
            }

            Counts["everything there"] = 1;
        }
        catch (MeshException refused)
        {
            Assert.True(refused.Code is JournalErrors.Damaged or JournalErrors.NotAJournal or JournalErrors.NewerFormat, refused.ToString());
            Assert.False(Counts.Keys.Any(what => what.Contains("left as it was", StringComparison.Ordinal)), $"nothing was damaged, and it refuses: {refused.Message}");
            Counts[$"refused with {refused.Code}"] = 1;
        }
    }
}
