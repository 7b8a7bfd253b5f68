namespace Akka.Remote.Transport;

/// <summary>A function that a test can replace for a while; the last one pushed counts.</summary>
public class SwitchableLoggedBehavior<TIn, TOut>
{
    private readonly Lock _lock = new();
    private readonly Stack<Func<TIn, Task<TOut>>> _behaviors = new();

    public SwitchableLoggedBehavior(Func<TIn, Task<TOut>> defaultBehavior, Action<TIn> logCallback)
    {
        DefaultBehavior = defaultBehavior;
        LogCallback = logCallback;
        _behaviors.Push(defaultBehavior);
    }

    public Func<TIn, Task<TOut>> DefaultBehavior { get; }

    public Action<TIn> LogCallback { get; }

    public Func<TIn, Task<TOut>> CurrentBehavior
    {
        get
        {
            lock (_lock)
                return _behaviors.Peek();
        }
    }

    public Task<TOut> Apply(TIn param)
    {
        LogCallback(param);
        return CurrentBehavior(param);
    }

    public void Push(Func<TIn, Task<TOut>> behavior)
    {
        lock (_lock)
            _behaviors.Push(behavior);
    }

    public void PushConstant(TOut result) => Push(_ => Task.FromResult(result));

    public void PushError(Exception e) => Push(_ => Task.FromException<TOut>(e));

    /// <summary>Calls wait until the returned source is set, and then do what they would have done before.</summary>
    public TaskCompletionSource<bool> PushDelayed()
    {
        TaskCompletionSource<bool> gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Func<TIn, Task<TOut>> before = CurrentBehavior;
        Push(async param =>
        {
            await gate.Task.ConfigureAwait(false);
            return await before(param).ConfigureAwait(false);
        });
        return gate;
    }

    /// <summary>Goes back to the behaviour before; the default stays.</summary>
    public void Pop()
    {
        lock (_lock)
        {
            if (_behaviors.Count > 1)
                _behaviors.Pop();
        }
    }
}
