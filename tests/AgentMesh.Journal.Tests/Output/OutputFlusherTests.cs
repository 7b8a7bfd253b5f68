using AgentMesh.Journal.Output;

namespace AgentMesh.Journal.Tests.Output;

public sealed class OutputFlusherTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("agentmesh-flusher-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Counts_what_became_durable_before_it_tells_the_waiting()
    {
        JobLog log = new("job", Path.Combine(_directory, "job.out"), new OutputStoreSettings { Directory = _directory });
        Task flushed = Task.CompletedTask;
        bool? toldBefore = null;
        long counted = 0;
        using (OutputFlusher flusher = new((_, bytes) => (toldBefore, counted) = (flushed.IsCompleted, bytes)))
        {
            long end;
            lock (log.Gate)
            {
                log.Load();
                log.WriteChunks(1, OutputStreamKind.Stdout, 0, new byte[100]);
                flushed = log.Flushed();
                end = log.Position;
            }

            flusher.Add(log, end);
            await flushed.WaitAsync(TimeSpan.FromMinutes(2));
            Assert.Equal(end, counted);
        }

        Assert.False(toldBefore);
        log.Close(new ObjectDisposedException("job"));
    }
}
