namespace AgentMesh.Journal;

/// <summary>A share of an open store, which closes with the last one.</summary>
public sealed class StoreLease<TStore> : IDisposable
    where TStore : IEventStore
{
    private Action? _release;

    internal StoreLease(TStore store, Action release)
    {
        Store = store;
        _release = release;
    }

    public TStore Store { get; }

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
