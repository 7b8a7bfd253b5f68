using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The asker of an <c>Ask</c>: the first message completes the task. It gets a path, and can be found by it, only when somebody looks at the path.</summary>
public class FutureActorRef<T> : MinimalActorRef
{
    private readonly TaskCompletionSource<T> _result;
    private ActorPath? _path;

    public FutureActorRef(TaskCompletionSource<T> result, ActorPath path, IActorRefProvider provider)
    {
        _result = result;
        _path = path;
        Provider = provider;
    }

    internal FutureActorRef(TaskCompletionSource<T> result, IActorRefProvider provider)
    {
        _result = result;
        Provider = provider;
    }

    public override IActorRefProvider Provider { get; }

    public override ActorPath Path => Volatile.Read(ref _path) ?? Register();

    /// <summary>Sends the question with this reference as its sender.</summary>
    public virtual void DeliverAsk(object message, ICanTell destination) => destination.Tell(message, this);

    public override void SendSystemMessage(ISystemMessage message)
    {
        // Who watches an ask learns at once that there is no actor here.
        if (message is Watch watch && watch.Watchee.Equals(this))
            watch.Watcher.SendSystemMessage(new DeathWatchNotification(this, existenceConfirmed: true, addressTerminated: false));
    }

    internal void Unregister()
    {
        ActorPath? path = Volatile.Read(ref _path);
        if (path is not null)
            Provider.UnregisterTempActor(path);
    }

    protected override void TellInternal(object message, IActorRef sender)
    {
        bool taken = message switch
        {
            T typed => _result.TrySetResult(typed),
            null => _result.TrySetResult(default!),
            Status.Failure failure => _result.TrySetException(failure.Cause ?? new TaskCanceledException("The answer was a failure without a cause")),
            _ => _result.TrySetException(new ArgumentException($"The answer is a {message.GetType().FullName}, but a {typeof(T).FullName} was asked for", nameof(message))),
        };
        if (!taken)
            Provider.DeadLetters.Tell(new DeadLetter(message!, sender, this), sender);
    }

    private ActorPath Register()
    {
        ActorPath fresh = Provider.TempPath();
        ActorPath? before = Interlocked.CompareExchange(ref _path, fresh, null);
        if (before is not null)
            return before;
        if (!_result.Task.IsCompleted)
            Provider.RegisterTempActor(this, fresh);
        return fresh;
    }
}
