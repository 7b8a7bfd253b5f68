using System.Text;
using AgentMesh.Errors;
using AgentMesh.Journal.Sqlite;
using static AgentMesh.Journal.Tests.Events.StoreFixture;

namespace AgentMesh.Journal.Tests.Crash;

/// <summary>Real processes and SIGKILL: what was acknowledged is there, or the store refuses and says why.</summary>
[Trait("Category", "Integration")]
public sealed class KillTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _path;

    public KillTests() => _path = _directory.File("journal.db");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Every_acknowledged_event_is_there_after_a_kill()
    {
        Dictionary<string, long> acknowledged = [];
        foreach (int count in (int[])[1, 40, 700])
        {
            using VictimProcess victim = new("write-events", _path);
            foreach ((string id, long sequence) in victim.KillAfter(count))
            {
                acknowledged[id] = sequence;
            }

            await VerifyEvents(acknowledged);
        }
    }

    [Fact]
    public async Task Every_acknowledged_byte_of_output_is_there_after_a_kill()
    {
        string directory = _directory.File("output");
        using VictimProcess victim = new("write-output", directory);
        Dictionary<string, long> acknowledged = victim.KillAfter(500);
        using OutputStore store = OutputStore.Open(new OutputStoreSettings { Directory = directory }, TimeProvider.System);
        foreach ((string job, long length) in acknowledged)
        {
            OutputSlice slice = store.Read(new OutputAddress(job, 1, OutputStreamKind.Stdout), 0, 10_000_000);
            Assert.True(slice.State.Length >= length, $"{job}: {slice.State.Length} < {length}");
            StringBuilder expected = new();
            while (expected.Length < slice.State.Length)
            {
                expected.Append(Victim.Line(expected.Length));
            }

            Assert.Equal(expected.ToString(), Encoding.UTF8.GetString(slice.Data.Span));
            OutputAppendResult next = await store.AppendAsync(new OutputAddress(job, 1, OutputStreamKind.Stdout), slice.State.Length, "more"u8.ToArray());
            Assert.Equal(OutputAppendStatus.Acknowledged, next.Status);
        }
    }

    [Fact]
    public async Task A_log_cut_or_flipped_after_the_kill_is_refused_or_everything_is_there()
    {
        Dictionary<string, long> acknowledged;
        using (VictimProcess victim = new("write-events", _path))
        {
            acknowledged = victim.KillAfter(300);
        }

        Dictionary<string, byte[]> found = Directory.GetFiles(_directory.Path).ToDictionary(f => f, File.ReadAllBytes);
        byte[] log = found[_path + "-wal"];
        Random random = new(20);
        int refused = 0;
        for (int i = 0; i < 24; i++)
        {
            foreach ((string file, byte[] bytes) in found)
            {
                File.WriteAllBytes(file, bytes);
            }

            File.Delete(_path + "-shm");
            byte[] damaged = i % 2 == 0 ? log[..random.Next(log.Length)] : (byte[])log.Clone();
            if (i % 2 == 1)
            {
                damaged[random.Next(32, log.Length)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(_path + "-wal", damaged);
            try
            {
                await VerifyEvents(new Dictionary<string, long>(acknowledged));
            }
            catch (MeshException e)
            {
                Assert.Equal(JournalErrors.Damaged, e.Code);
                refused++;

                // Refusing changes nothing that a person could still repair.
                Assert.Equal(damaged, File.ReadAllBytes(_path + "-wal"));
            }
        }

        Assert.True(refused > 12, $"only {refused} of 24 damaged logs were refused");
    }

    [Fact]
    public void Damage_inside_the_log_is_found_without_the_acknowledgement_file_and_a_torn_end_is_none()
    {
        using (VictimProcess victim = new("write-events", _path))
        {
            victim.KillAfter(300);
        }

        string log = _path + "-wal";
        byte[] bytes = File.ReadAllBytes(log);
        Assert.Null(WalInspector.FindDamage(log));

        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(log, bytes);
        Assert.NotNull(WalInspector.FindDamage(log));
        File.Delete(_path + ".ack");
        Assert.Equal(JournalErrors.Damaged, Assert.Throws<MeshException>(() => Open(_path)).Code);
        Assert.Equal(bytes, File.ReadAllBytes(log));

        bytes[bytes.Length / 2] ^= 1;
        bytes[8 * 4] ^= 0x80;
        bytes[3] ^= 0x10;
        File.WriteAllBytes(log, bytes);
        Assert.NotNull(WalInspector.FindDamage(log));

        bytes[8 * 4] ^= 0x80;
        bytes[3] ^= 0x10;
        File.WriteAllBytes(log, bytes[..^100]);
        Assert.Null(WalInspector.FindDamage(log));
        Open(_path).Dispose();
    }

    [Fact]
    public void A_file_with_flipped_bits_is_refused_or_read_correctly()
    {
        Dictionary<string, long> acknowledged;
        using (VictimProcess victim = new("write-events", _path))
        {
            acknowledged = victim.KillAfter(200);
        }

        Open(_path).Dispose();
        byte[] good = File.ReadAllBytes(_path);
        Random random = new(21);
        for (int i = 0; i < 40; i++)
        {
            byte[] damaged = (byte[])good.Clone();
            damaged[random.Next(100, good.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_path, damaged);
            try
            {
                VerifyEvents(new Dictionary<string, long>(acknowledged)).GetAwaiter().GetResult();
            }
            catch (MeshException e)
            {
                Assert.True(e.Code is JournalErrors.Damaged or JournalErrors.NotAJournal, e.ToString());
            }
        }
    }

    [Fact]
    public void A_journal_held_by_another_process_is_refused_with_its_pid_and_free_after_its_kill()
    {
        using VictimProcess victim = new("hold", _path);
        Assert.Equal("open", victim.ReadLine());
        MeshException e = Assert.Throws<MeshException>(() => Open(_path));
        Assert.Equal(JournalErrors.Locked, e.Code);
        Assert.Contains($"process {victim.Id}", e.Message, StringComparison.Ordinal);
        victim.Kill();
        Open(_path).Dispose();
    }

    private async Task VerifyEvents(Dictionary<string, long> acknowledged)
    {
        using SqliteEventStore store = Open(_path);
        foreach ((string id, long sequence) in acknowledged)
        {
            List<StoredEvent> events = await ReplayAll(store, id);
            Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.SequenceNr));
            Assert.True(events.Count >= sequence, $"{id}: {events.Count} events, {sequence} acknowledged");
            Assert.Equal(events.Count, await store.ReadHighestSequenceAsync(id));
            Assert.Equal(AppendStatus.Stored, (await store.AppendAsync(Append(id, events.Count, 1))).Status);
            acknowledged[id] = events.Count;
        }
    }
}
