using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Tests.Spools;

public sealed class AttemptSpoolTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-spool-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Who_acknowledges_whatever_comes_can_wait_for_it()
    {
        using AttemptSpool spool = AttemptSpool.Open(_directory, 1_000);
        await spool.AppendAsync(SpoolStream.Stdout, new byte[10], CancellationToken.None);
        Task before = spool.Changed;
        spool.Acknowledge(SpoolStream.Stdout, long.MaxValue);
        Task after = spool.Changed;

        spool.Acknowledge(SpoolStream.Stdout, long.MaxValue);
        spool.Acknowledge(SpoolStream.Stdout, 5);

        Assert.True(before.IsCompleted);
        Assert.False(after.IsCompleted, "nothing has changed, and who waits for a change goes round and round");
        Assert.Equal(10, spool.Acknowledged(SpoolStream.Stdout));
    }

    [Fact]
    public async Task It_is_drained_when_the_last_byte_was_acknowledged_before_the_end()
    {
        using AttemptSpool spool = AttemptSpool.Open(_directory, 1_000);
        await spool.AppendAsync(SpoolStream.Stdout, new byte[10], CancellationToken.None);
        spool.Acknowledge(SpoolStream.Stdout, 10);
        spool.Acknowledge(SpoolStream.Stdout, 10);
        Assert.False(spool.Drained.IsCompleted);

        spool.End();

        Assert.True(spool.Drained.IsCompleted);
    }
}
