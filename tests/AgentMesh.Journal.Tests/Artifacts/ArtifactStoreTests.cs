namespace AgentMesh.Journal.Tests.Artifacts;

public sealed class ArtifactStoreTests : ArtifactStoreSpec
{
    [Fact]
    public async Task What_a_crash_left_halfway_is_removed_at_the_next_start()
    {
        IArtifactStore store = await OpenAsync();
        await PutAsync(store, "job/a", "one", "content");
        await using (ArtifactUpload unnamed = await store.BeginAsync(HashOf("unnamed"), 7, default))
        {
            await unnamed.AppendAsync("unnamed"u8.ToArray(), default);
            await unnamed.CompleteAsync(default);
        }

        string name = Directory.GetFiles(Directory_.File("store/names")).Single();
        File.WriteAllText($"{name}.{Guid.NewGuid():N}.new", "half");
        File.WriteAllText(Path.Combine(Directory_.File("store/names"), "x.json"), "{\"JobId\":");
        store = await OpenAsync();
        Assert.Equal(("one", 1), (Assert.Single(await store.ListAsync(null, null, int.MaxValue, default)).Name, await ContentsAsync()));
        Assert.Equal([name], Directory.GetFiles(Directory_.File("store/names")));
    }

    protected override Task<IArtifactStore> OpenAsync(ArtifactStoreSettings settings) => Task.FromResult<IArtifactStore>(ArtifactStore.Open(settings, _time));

    protected override Task<int> ContentsAsync() => Task.FromResult(Directory.GetFiles(Directory_.File("store/content"), "*", SearchOption.AllDirectories).Length);
}
