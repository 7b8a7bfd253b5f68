using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Tests.Artifacts;

/// <summary>What every artifact store does, wherever it keeps contents.</summary>
public abstract class ArtifactStoreSpec : IDisposable
{
    protected readonly SetTime _time = new();

    internal TempDirectory Directory_ { get; } = new();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    [SkippableFact]
    public async Task Keeps_a_content_once_for_all_its_names_and_removes_it_with_the_last()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "one", "content");
        await PutAsync(store, "job/b", "two", "content");
        Assert.Equal((7, 1), (await store.BytesAsync(default), await ContentsAsync()));
        Assert.Equal("content", await ReadAsync(store, "content"));
        Assert.True(await store.RemoveAsync("job/a", "one", default));
        Assert.Equal("content", await ReadAsync(store, "content"));
        Assert.True(await store.RemoveAsync("job/b", "two", default));
        Assert.False(await store.RemoveAsync("job/b", "two", default));
        Assert.Equal((0, 0), (await store.BytesAsync(default), await ContentsAsync()));
        Assert.Equal(JournalErrors.ArtifactGone, (await Assert.ThrowsAsync<MeshException>(() => store.OpenReadAsync(HashOf("content"), default))).Code);
    }

    [SkippableFact]
    public async Task Finds_everything_again_after_a_restart()
    {
        await PutAsync(await OpenAsync(), "job/a", "one", "content");
        IArtifactStore store = await OpenAsync();
        StoredArtifact found = Assert.Single(await store.ListAsync(null, null, int.MaxValue, default));
        Assert.Equal(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), found);
        Assert.Equal("content", await ReadAsync(store, "content"));
    }

    [SkippableFact]
    public async Task Goes_on_where_a_broken_connection_or_a_restart_has_stopped_it()
    {
        IArtifactStore store = await OpenAsync();
        await using (ArtifactUpload first = await store.BeginAsync(HashOf("content"), 7, default))
        {
            await first.AppendAsync("con"u8.ToArray(), default);
        }

        await using (ArtifactUpload second = await store.BeginAsync(HashOf("content"), 7, default))
        {
            Assert.Equal((3, false), (second.Offset, second.IsThere));
            await second.AppendAsync("te"u8.ToArray(), default);
        }

        store = await OpenAsync();
        await using ArtifactUpload third = await store.BeginAsync(HashOf("content"), 7, default);
        Assert.Equal(5, third.Offset);
        await third.AppendAsync("nt"u8.ToArray(), default);
        await third.CompleteAsync(default);
        await store.NameAsync(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), default);
        Assert.Equal("content", await ReadAsync(store, "content"));
        await using ArtifactUpload again = await store.BeginAsync(HashOf("content"), 7, default);
        Assert.Equal((7, true), (again.Offset, again.IsThere));
        await again.CompleteAsync(default);
    }

    [SkippableFact]
    public async Task Refuses_what_is_not_what_was_announced_and_begins_anew()
    {
        IArtifactStore store = await OpenAsync();
        await using (ArtifactUpload wrong = await store.BeginAsync(HashOf("content"), 7, default))
        {
            await wrong.AppendAsync("CONTENT"u8.ToArray(), default);
            Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => wrong.CompleteAsync(default))).Code);
        }

        Assert.Equal(0, await ContentsAsync());
        await using (ArtifactUpload longer = await store.BeginAsync(HashOf("content"), 7, default))
        {
            Assert.Equal(0, longer.Offset);
            Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => longer.AppendAsync("content!"u8.ToArray(), default))).Code);
        }

        await using (ArtifactUpload shorter = await store.BeginAsync(HashOf("content"), 7, default))
        {
            await shorter.AppendAsync("cont"u8.ToArray(), default);
            Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => shorter.CompleteAsync(default))).Code);
        }

        Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => store.BeginAsync("../../etc/passwd", 7, default))).Code);
        Assert.Equal(JournalErrors.ArtifactGone, (await Assert.ThrowsAsync<MeshException>(() => store.NameAsync(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), default))).Code);
    }

    [SkippableFact]
    public async Task Refuses_a_name_with_another_size_and_one_of_an_older_attempt()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "one", "content", attempt: 2);
        Assert.Equal(JournalErrors.ArtifactGone, (await Assert.ThrowsAsync<MeshException>(() => store.NameAsync(new StoredArtifact("job/a", 3, "one", HashOf("content"), 8, _time.Now), default))).Code);
        await Assert.ThrowsAsync<MeshException>(() => PutAsync(store, "job/a", "one", "older", attempt: 1));
        Assert.Equal(HashOf("content"), (await store.FindAsync("job/a", "one", default))!.Hash);
        await PutAsync(store, "job/a", "one", "newer", attempt: 3);
        Assert.Equal(HashOf("newer"), (await store.FindAsync("job/a", "one", default))!.Hash);
        await Assert.ThrowsAsync<MeshException>(() => store.OpenReadAsync(HashOf("content"), default));
    }

    [SkippableFact]
    public async Task Makes_room_by_age_but_keeps_what_is_safe()
    {
        IArtifactStore store = await OpenAsync(bytesMax: 10);
        await PutAsync(store, "job/a", "one", "1111");
        _time.Now += TimeSpan.FromMinutes(1);
        await PutAsync(store, "job/a", "two", "2222");
        Assert.Equal(JournalErrors.ArtifactStoreFull, (await Assert.ThrowsAsync<MeshException>(() => store.BeginAsync(HashOf("3333"), 4, default))).Code);
        _time.Now += TimeSpan.FromMinutes(59);
        await PutAsync(store, "job/a", "three", "3333");
        Assert.Equal(["three", "two"], (await store.ListAsync(null, null, int.MaxValue, default)).Select(artifact => artifact.Name));
        Assert.Equal(JournalErrors.ArtifactTooLarge, (await Assert.ThrowsAsync<MeshException>(() => store.BeginAsync(HashOf("x"), 101, default))).Code);
        _time.Now += TimeSpan.FromDays(31);
        await store.RemoveOldAsync(default);
        Assert.Empty(await store.ListAsync(null, null, int.MaxValue, default));
    }

    [SkippableFact]
    public async Task A_file_that_is_put_is_hashed_as_it_comes_and_bounded()
    {
        IArtifactStore store = await OpenAsync();
        StoredArtifact put = await store.PutAsync("grid.csv", new MemoryStream("content"u8.ToArray()), default);
        Assert.Equal((HashOf("content"), 7, ""), (put.Hash, put.Size, put.JobId));
        Assert.Equal("content", await ReadAsync(store, "content"));
        await store.PutAsync("same", new MemoryStream("content"u8.ToArray()), default);
        Assert.Equal(7, await store.BytesAsync(default));
        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => store.PutAsync("big", new MemoryStream(new byte[101]), default));
        Assert.Equal(JournalErrors.ArtifactTooLarge, refused.Code);
        Assert.Empty(Directory.GetFiles(Directory_.File("store/partial")));
    }

    [SkippableFact]
    public async Task Gives_a_content_from_any_place_of_it()
    {
        IArtifactStore store = await OpenAsync(bytesMax: 10_000_000, sizeMax: 10_000_000);
        byte[] content = new byte[700_001];
        new Random(7).NextBytes(content);
        await store.PutAsync("large", new MemoryStream(content), default);
        Stream read = await store.OpenReadAsync(Convert.ToHexStringLower(SHA256.HashData(content)), default);
        await using (read)
        {
            Assert.Equal(content.Length, read.Length);
            foreach (int from in new[] { 0, 1, 262_143, 262_144, 524_289, 700_000, 700_001 })
            {
                read.Position = from;
                var rest = new MemoryStream();
                await read.CopyToAsync(rest);
                Assert.Equal(content[from..], rest.ToArray());
            }
        }
    }

    [SkippableFact]
    public async Task Lists_what_is_asked_for_the_newest_first()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "one", "content");
        _time.Now += TimeSpan.FromMinutes(1);
        await PutAsync(store, "job/b", "two", "content");
        _time.Now += TimeSpan.FromMinutes(1);
        await PutAsync(store, "job/b", "three", "other");
        Assert.Equal(["three", "two", "one"], await NamesAsync(null, null));
        Assert.Equal(["three", "two"], await NamesAsync("job/b", null));
        Assert.Equal(["two", "one"], await NamesAsync(null, HashOf("content")));
        Assert.Equal(["three"], (await store.ListAsync(null, null, 1, default)).Select(artifact => artifact.Name));
        Assert.Empty(await NamesAsync("job/c", null));

        async Task<IEnumerable<string>> NamesAsync(string? job, string? hash) => (await store.ListAsync(job, hash, 100, default)).Select(artifact => artifact.Name);
    }

    [SkippableFact]
    public async Task A_content_without_bytes_is_one_too()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "none", "");
        Assert.Equal("", await ReadAsync(store, ""));
        Assert.Equal((0, 1), (await store.BytesAsync(default), await ContentsAsync()));
    }

    [SkippableFact]
    public async Task One_sender_at_a_time_sends_a_content_and_the_other_tries_again()
    {
        IArtifactStore store = await OpenAsync();
        ArtifactUpload first = await store.BeginAsync(HashOf("content"), 7, default);
        Assert.Equal(JournalErrors.ArtifactNotStored, (await Assert.ThrowsAsync<MeshException>(() => store.BeginAsync(HashOf("content"), 7, default))).Code);
        await first.AppendAsync("content"u8.ToArray(), default);
        await first.CompleteAsync(default);
        await first.DisposeAsync();
        await using ArtifactUpload second = await store.BeginAsync(HashOf("content"), 7, default);
        Assert.True(second.IsThere);
    }

    /// <summary>Again with the same place: as after a restart.</summary>
    protected abstract Task<IArtifactStore> OpenAsync(ArtifactStoreSettings settings);

    /// <summary>Contents that are there as a whole.</summary>
    protected abstract Task<int> ContentsAsync();

    protected virtual void Dispose(bool disposing) => Directory_.Dispose();

    protected Task<IArtifactStore> OpenAsync(long bytesMax = 1000, long sizeMax = 100) =>
        OpenAsync(new ArtifactStoreSettings(Directory_.File("store"), bytesMax, sizeMax, TimeSpan.FromDays(30), TimeSpan.FromHours(1)));

    protected async Task PutAsync(IArtifactStore store, string job, string name, string text, int attempt = 1)
    {
        await using ArtifactUpload upload = await store.BeginAsync(HashOf(text), text.Length, default);
        if (!upload.IsThere)
        {
            await upload.AppendAsync(Encoding.UTF8.GetBytes(text), default);
        }

        await upload.CompleteAsync(default);
        await store.NameAsync(new StoredArtifact(job, attempt, name, HashOf(text), text.Length, _time.Now), default);
    }

    protected static async Task<string> ReadAsync(IArtifactStore store, string text)
    {
        using var reader = new StreamReader(await store.OpenReadAsync(HashOf(text), default));
        return await reader.ReadToEndAsync();
    }

    protected static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    protected sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
