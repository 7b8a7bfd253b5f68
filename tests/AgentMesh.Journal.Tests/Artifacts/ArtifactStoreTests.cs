using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Tests.Artifacts;

public sealed class ArtifactStoreTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly SetTime _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Keeps_a_content_once_for_all_its_names_and_removes_it_with_the_last()
    {
        ArtifactStore store = Open();
        await PutAsync(store, "job/a", "one", "content");
        await PutAsync(store, "job/b", "two", "content");
        Assert.Equal((7, 1), (store.Bytes, Contents()));
        Assert.Equal("content", Read(store, "content"));
        Assert.True(store.Remove("job/a", "one"));
        Assert.Equal("content", Read(store, "content"));
        Assert.True(store.Remove("job/b", "two"));
        Assert.False(store.Remove("job/b", "two"));
        Assert.Equal((0, 0), (store.Bytes, Contents()));
        Assert.Equal(JournalErrors.ArtifactGone, Assert.Throws<MeshException>(() => store.OpenRead(HashOf("content"))).Code);
    }

    [Fact]
    public async Task Finds_everything_again_after_a_restart()
    {
        await PutAsync(Open(), "job/a", "one", "content");
        ArtifactStore store = Open();
        StoredArtifact found = Assert.Single(store.List());
        Assert.Equal(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now), found);
        Assert.Equal("content", Read(store, "content"));
    }

    [Fact]
    public async Task Goes_on_where_a_broken_connection_or_a_restart_has_stopped_it()
    {
        ArtifactStore store = Open();
        using (ArtifactUpload first = store.Begin(HashOf("content"), 7))
        {
            await first.AppendAsync("con"u8.ToArray(), CancellationToken.None);
        }

        using (ArtifactUpload second = store.Begin(HashOf("content"), 7))
        {
            Assert.Equal((3, false), (second.Offset, second.IsThere));
            await second.AppendAsync("te"u8.ToArray(), CancellationToken.None);
        }

        store = Open();
        using ArtifactUpload third = store.Begin(HashOf("content"), 7);
        Assert.Equal(5, third.Offset);
        await third.AppendAsync("nt"u8.ToArray(), CancellationToken.None);
        third.Complete();
        store.Name(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now));
        Assert.Equal("content", Read(store, "content"));
        using ArtifactUpload again = store.Begin(HashOf("content"), 7);
        Assert.Equal((7, true), (again.Offset, again.IsThere));
        again.Complete();
    }

    [Fact]
    public async Task Refuses_what_is_not_what_was_announced_and_begins_anew()
    {
        ArtifactStore store = Open();
        using (ArtifactUpload wrong = store.Begin(HashOf("content"), 7))
        {
            await wrong.AppendAsync("CONTENT"u8.ToArray(), CancellationToken.None);
            Assert.Equal(JournalErrors.ArtifactDamaged, Assert.Throws<MeshException>(wrong.Complete).Code);
        }

        Assert.Equal(0, Contents());
        using (ArtifactUpload longer = store.Begin(HashOf("content"), 7))
        {
            Assert.Equal(0, longer.Offset);
            Assert.Equal(JournalErrors.ArtifactDamaged, (await Assert.ThrowsAsync<MeshException>(() => longer.AppendAsync("content!"u8.ToArray(), CancellationToken.None))).Code);
        }

        using (ArtifactUpload shorter = store.Begin(HashOf("content"), 7))
        {
            await shorter.AppendAsync("cont"u8.ToArray(), CancellationToken.None);
            Assert.Equal(JournalErrors.ArtifactDamaged, Assert.Throws<MeshException>(shorter.Complete).Code);
        }

        Assert.Equal(JournalErrors.ArtifactDamaged, Assert.Throws<MeshException>(() => store.Begin("../../etc/passwd", 7)).Code);
        Assert.Equal(JournalErrors.ArtifactGone, Assert.Throws<MeshException>(() => store.Name(new StoredArtifact("job/a", 1, "one", HashOf("content"), 7, _time.Now))).Code);
    }

    [Fact]
    public async Task Refuses_a_name_with_another_size_and_one_of_an_older_attempt()
    {
        ArtifactStore store = Open();
        await PutAsync(store, "job/a", "one", "content", attempt: 2);
        Assert.Equal(JournalErrors.ArtifactGone, Assert.Throws<MeshException>(() => store.Name(new StoredArtifact("job/a", 3, "one", HashOf("content"), 8, _time.Now))).Code);
        await Assert.ThrowsAsync<MeshException>(() => PutAsync(store, "job/a", "one", "older", attempt: 1));
        Assert.Equal(HashOf("content"), store.Find("job/a", "one")!.Hash);
        await PutAsync(store, "job/a", "one", "newer", attempt: 3);
        Assert.Equal(HashOf("newer"), store.Find("job/a", "one")!.Hash);
        Assert.Null(store.SizeOf(HashOf("content")));
    }

    [Fact]
    public async Task Makes_room_by_age_but_keeps_what_is_safe()
    {
        ArtifactStore store = Open(bytesMax: 10);
        await PutAsync(store, "job/a", "one", "1111");
        _time.Now += TimeSpan.FromMinutes(1);
        await PutAsync(store, "job/a", "two", "2222");
        Assert.Equal(JournalErrors.ArtifactStoreFull, Assert.Throws<MeshException>(() => store.Begin(HashOf("3333"), 4)).Code);
        _time.Now += TimeSpan.FromMinutes(59);
        await PutAsync(store, "job/a", "three", "3333");
        Assert.Equal(["three", "two"], store.List().Select(artifact => artifact.Name));
        Assert.Equal(JournalErrors.ArtifactTooLarge, Assert.Throws<MeshException>(() => store.Begin(HashOf("x"), 101)).Code);
        _time.Now += TimeSpan.FromDays(31);
        store.RemoveOld();
        Assert.Empty(store.List());
    }

    [Fact]
    public async Task What_a_crash_left_halfway_is_removed_at_the_next_start()
    {
        ArtifactStore store = Open();
        await PutAsync(store, "job/a", "one", "content");
        using (ArtifactUpload unnamed = store.Begin(HashOf("unnamed"), 7))
        {
            await unnamed.AppendAsync("unnamed"u8.ToArray(), CancellationToken.None);
            unnamed.Complete();
        }

        string name = Directory.GetFiles(_directory.File("store/names")).Single();
        File.WriteAllText(name + ".new", "half");
        File.WriteAllText(Path.Combine(_directory.File("store/names"), "x.json"), "{\"JobId\":");
        store = Open();
        Assert.Equal(("one", 1), (Assert.Single(store.List()).Name, Contents()));
        Assert.Equal([name], Directory.GetFiles(_directory.File("store/names")));
    }

    [Fact]
    public async Task A_file_that_is_put_is_hashed_as_it_comes_and_bounded()
    {
        ArtifactStore store = Open();
        StoredArtifact put = await store.PutAsync("grid.csv", new MemoryStream("content"u8.ToArray()), CancellationToken.None);
        Assert.Equal((HashOf("content"), 7, ""), (put.Hash, put.Size, put.JobId));
        Assert.Equal("content", Read(store, "content"));
        await store.PutAsync("same", new MemoryStream("content"u8.ToArray()), CancellationToken.None);
        Assert.Equal(7, store.Bytes);
        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => store.PutAsync("big", new MemoryStream(new byte[101]), CancellationToken.None));
        Assert.Equal(JournalErrors.ArtifactTooLarge, refused.Code);
        Assert.Empty(Directory.GetFiles(_directory.File("store/partial")));
    }

    [Fact]
    public async Task One_sender_at_a_time_sends_a_content_and_the_other_tries_again()
    {
        ArtifactStore store = Open();
        ArtifactUpload first = store.Begin(HashOf("content"), 7);
        Assert.Equal(JournalErrors.ArtifactNotStored, Assert.Throws<MeshException>(() => store.Begin(HashOf("content"), 7)).Code);
        await first.AppendAsync("content"u8.ToArray(), CancellationToken.None);
        first.Complete();
        first.Dispose();
        using ArtifactUpload second = store.Begin(HashOf("content"), 7);
        Assert.True(second.IsThere);
    }

    private ArtifactStore Open(long bytesMax = 1000) =>
        ArtifactStore.Open(new ArtifactStoreSettings(_directory.File("store"), bytesMax, 100, TimeSpan.FromDays(30), TimeSpan.FromHours(1)), _time);

    private async Task PutAsync(ArtifactStore store, string job, string name, string text, int attempt = 1)
    {
        using ArtifactUpload upload = store.Begin(HashOf(text), text.Length);
        if (!upload.IsThere)
        {
            await upload.AppendAsync(Encoding.UTF8.GetBytes(text), CancellationToken.None);
        }

        upload.Complete();
        store.Name(new StoredArtifact(job, attempt, name, HashOf(text), text.Length, _time.Now));
    }

    private static string Read(ArtifactStore store, string text)
    {
        using var reader = new StreamReader(store.OpenRead(HashOf(text)));
        return reader.ReadToEnd();
    }

    private int Contents() => Directory.GetFiles(_directory.File("store/content"), "*", SearchOption.AllDirectories).Length;

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
