namespace AgentMesh.Node.Links;

/// <summary>Lets wait until something holds of what links and the registry say: who waits looks again whenever there is news. Thread-safe.</summary>
internal sealed class LinkNews(TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _next;

    /// <summary>Something may be different.</summary>
    public void Tell()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            (waiting, _next) = (_next, null);
        }

        waiting?.TrySetResult();
    }

    /// <param name="holds">Looked at now and after every news; on other threads.</param>
    /// <returns>False when it did not hold within this time.</returns>
    public async Task<bool> UntilAsync(Func<bool> holds, TimeSpan within, CancellationToken cancellationToken = default)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task late = Task.Delay(within, time, over.Token);
        try
        {
            while (true)
            {
                // Before it is looked: what comes meanwhile is news.
                Task next = Next();
                if (holds())
                {
                    return true;
                }

                cancellationToken.ThrowIfCancellationRequested();
                if (late.IsCompleted)
                {
                    return false;
                }

                await Task.WhenAny(next, late).ConfigureAwait(false);
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private Task Next()
    {
        lock (_gate)
        {
            return (_next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
