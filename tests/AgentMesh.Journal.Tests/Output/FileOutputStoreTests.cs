using AgentMesh.Errors;
using AgentMesh.Journal.Output;
using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal.Tests.Output;

public sealed class FileOutputStoreTests : OutputStoreSpec
{
    private static readonly OutputAddress Out1 = new(Job, 1, OutputStreamKind.Stdout);
    private readonly TempDirectory _directory = new();
    private OutputStoreSettings _settings;
    private OutputStore _store;

    public FileOutputStoreTests()
    {
        _settings = new OutputStoreSettings { Directory = _directory.File("output") };
        _store = OutputStore.Open(_settings, TimeProvider.System);
    }

    private protected override IOutputStore Store => _store;

    public override void Dispose()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Cuts_a_torn_end_that_nobody_was_promised()
    {
        await Append(Out1, 0, "abc");
        await Append(Out1, 3, "def");
        _store.Dispose();
        using (FileStream file = new(OneFile(), FileMode.Open))
        {
            file.SetLength(file.Length - 1);
        }

        Reopen();
        Assert.Equal("abc", await Text(Out1));
        Assert.Equal(new OutputAppendResult(OutputAppendStatus.Acknowledged, 6), await Append(Out1, 3, "def"));
        Reopen();
        Assert.Equal("abcdef", await Text(Out1));
    }

    [Fact]
    public async Task Refuses_a_file_that_lost_acknowledged_bytes_and_leaves_it_alone()
    {
        await Append(Out1, 0, "first");
        await Append(Out1, 5, "second");
        await Store.SetFinalLengthsAsync(Job, 1, Lengths(11));
        _store.Dispose();
        byte[] bytes = File.ReadAllBytes(OneFile());
        bytes[bytes.AsSpan().IndexOf("second"u8)] ^= 1;
        File.WriteAllBytes(OneFile(), bytes);

        Reopen();
        await FailsWith(JournalErrors.OutputDamaged, () => Text(Out1));
        Assert.Equal(bytes, File.ReadAllBytes(OneFile()));
        await Append(new OutputAddress("job/h/other", 1, OutputStreamKind.Stdout), 0, "fine");
    }

    [Fact]
    public async Task A_file_that_was_never_finished_being_created_is_started_anew()
    {
        await Append(Out1, 0, "abc");
        _store.Dispose();
        File.WriteAllBytes(OneFile(), File.ReadAllBytes(OneFile())[..10]);
        Reopen();
        Assert.Equal(0, _store.GetState(Out1).Length);
        await Append(Out1, 0, "abc");
        Assert.Equal("abc", await Text(Out1));
    }

    [Fact]
    public async Task Delete_frees_the_bytes_of_the_job()
    {
        await Append(Out1, 0, "abc");
        long before = _store.TotalBytes;
        _store.Delete(Job);
        Assert.True(_store.TotalBytes < before);
    }

    [Fact]
    public void A_second_store_on_the_directory_is_refused() =>
        Assert.Equal(JournalErrors.Locked, Assert.Throws<MeshException>(() => OutputStore.Open(_settings, TimeProvider.System)).Code);

    [Fact]
    public async Task Removes_the_jobs_that_ended_longest_ago_when_full_and_never_running_ones()
    {
        _store.Dispose();
        _settings = _settings with { BytesMax = 100_000 };
        Reopen();
        string text = new('x', 20_000);
        for (int i = 0; i < 8; i++)
        {
            OutputAddress address = new($"job/h/{i}", 1, OutputStreamKind.Stdout);
            await Append(address, 0, text);
            if (i != 0)
            {
                await Store.SetFinalLengthsAsync(address.JobId, 1, Lengths(20_000));
            }
        }

        Assert.InRange(_store.TotalBytes, 1, 100_000);
        Assert.Equal(20_000, _store.GetState(new OutputAddress("job/h/0", 1, OutputStreamKind.Stdout)).Length);
        Assert.Equal(0, _store.GetState(new OutputAddress("job/h/1", 1, OutputStreamKind.Stdout)).Length);
        Assert.Equal(20_000, _store.GetState(new OutputAddress("job/h/7", 1, OutputStreamKind.Stdout)).Length);
    }

    [Fact]
    public async Task Refuses_more_when_everything_belongs_to_running_jobs()
    {
        _store.Dispose();
        _settings = _settings with { BytesMax = 50_000 };
        Reopen();
        await Append(Out1, 0, new string('x', 40_000));
        MeshException e = await Assert.ThrowsAsync<MeshException>(() => Append(Out1, 40_000, new string('x', 20_000)));
        Assert.Equal(JournalErrors.OutputFull, e.Code);
        Assert.Equal(40_000, _store.GetState(Out1).Length);
    }

    /// <summary>Earlier versions wrote up to 256 KiB into one record.</summary>
    [Fact]
    public async Task Reads_the_longer_records_of_earlier_versions_and_goes_on_behind_them()
    {
        await Append(Out1, 0, "x");
        string path = OneFile();
        _store.Dispose();
        byte[] data = new byte[600_000];
        new Random(5).NextBytes(data);
        using (FileStream file = File.Create(path))
        {
            file.Write(FileHeader.Write(Job));
            for (int at = 0; at < data.Length; at += RecordHeader.PayloadBytesMax)
            {
                ReadOnlySpan<byte> payload = data.AsSpan(at, Math.Min(RecordHeader.PayloadBytesMax, data.Length - at));
                byte[] head = new byte[RecordHeader.Size];
                new RecordHeader(RecordType.Chunk, OutputStreamKind.Stdout, 1, payload.Length, at, 0, Crc32C.Of(payload)).Write(head);
                file.Write(head);
                file.Write(payload);
            }
        }

        Reopen();
        byte[] more = new byte[100_000];
        new Random(6).NextBytes(more);
        await Store.AppendAsync(Out1, data.Length, more);
        byte[] all = [.. data, .. more];
        foreach (int offset in (int[])[0, 1, 65_536, 262_143, 262_144, 599_999, 600_000, 665_536])
        {
            int count = Math.Min(65_536, all.Length - offset);
            Assert.True((await Store.ReadAsync(Out1, offset, count)).Data.Span.SequenceEqual(all.AsSpan(offset, count)), $"offset {offset}");
        }
    }

    [Fact]
    public async Task Refuses_more_than_one_job_may_have()
    {
        _store.Dispose();
        _settings = _settings with { JobBytesMax = 10_000 };
        Reopen();
        await Append(Out1, 0, new string('x', 9_000));
        MeshException e = await Assert.ThrowsAsync<MeshException>(() => Append(Out1, 9_000, new string('x', 2_000)));
        Assert.Equal(JournalErrors.OutputTooLarge, e.Code);
        Assert.Equal(OutputAppendStatus.Acknowledged, await Store.SetFinalLengthsAsync(Job, 1, Lengths(9_000)));
    }

    [Fact]
    public async Task Works_with_fewer_open_files_than_jobs()
    {
        _store.Dispose();
        _settings = _settings with { OpenFilesMax = 4 };
        Reopen();
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                await Append(new OutputAddress($"job/h/{i}", 1, OutputStreamKind.Stdout), round, round == 0 ? "a" : "b");
            }
        }

        for (int i = 0; i < 20; i++)
        {
            Assert.Equal("ab", await Text(new OutputAddress($"job/h/{i}", 1, OutputStreamKind.Stdout)));
        }
    }

    private protected override void Reopen()
    {
        _store.Dispose();
        _store = OutputStore.Open(_settings, TimeProvider.System);
    }

    private string OneFile() => Assert.Single(Directory.GetFiles(_settings.Directory, "*.out", SearchOption.AllDirectories));
}
