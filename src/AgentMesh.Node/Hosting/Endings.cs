namespace AgentMesh.Node.Hosting;

/// <summary>What has started, to be ended in the opposite order; also where the next part cannot start.</summary>
internal sealed class Endings : IAsyncDisposable
{
    private readonly Stack<Func<ValueTask>> _end = new();

    public T Add<T>(T part)
        where T : IDisposable
    {
        _end.Push(() =>
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        });
        return part;
    }

    public T AddAsync<T>(T part)
        where T : IAsyncDisposable
    {
        _end.Push(part.DisposeAsync);
        return part;
    }

    public async ValueTask DisposeAsync()
    {
        while (_end.TryPop(out Func<ValueTask>? end))
        {
            await end().ConfigureAwait(false);
        }
    }
}
