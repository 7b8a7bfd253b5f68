namespace AgentMesh.Transport;

/// <summary>Wakes one loop from others; several pokes before it looks are one.</summary>
public sealed class Poker(TimeProvider time)
{
    private readonly SemaphoreSlim _poked = new(0, 1);

    public void Poke()
    {
        try
        {
            if (_poked.CurrentCount == 0)
            {
                _poked.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Two at once: one is enough.
        }
    }

    public Task WaitAsync(CancellationToken cancellationToken) => _poked.WaitAsync(cancellationToken);

    /// <returns>True when something happened before the time was over.</returns>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.FromMilliseconds(1), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await _poked.WaitAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
