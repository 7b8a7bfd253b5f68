using Akka.Actor.Internal;

namespace Akka.Actor;

/// <summary>Asking: a message whose answer is a task.</summary>
public static class Futures
{
    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout = null) => self.Ask<object>(message, timeout, CancellationToken.None);

    public static Task<object> Ask(this ICanTell self, object message, CancellationToken cancellationToken) => self.Ask<object>(message, null, cancellationToken);

    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout, CancellationToken cancellationToken) => self.Ask<object>(message, timeout, cancellationToken);

    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout = null) => self.Ask<T>(message, timeout, CancellationToken.None);

    public static Task<T> Ask<T>(this ICanTell self, object message, CancellationToken cancellationToken) => self.Ask<T>(message, null, cancellationToken);

    /// <param name="timeout">Null: <c>akka.actor.ask-timeout</c>, which is infinite unless configured.</param>
    /// <returns>The answer; fails with <see cref="AskTimeoutException"/> when none comes in time, with the cause of a <see cref="Status.Failure"/>, or
    /// with <see cref="ArgumentException"/> when the answer is of another type.</returns>
    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout, CancellationToken cancellationToken) =>
        Ask<T>(self, timeout, cancellationToken, message, null);

    /// <param name="messageFactory">Gets the reference that the answer must go to.</param>
    public static Task<T> Ask<T>(this ICanTell self, Func<IActorRef, object> messageFactory, TimeSpan? timeout, CancellationToken cancellationToken) =>
        Ask<T>(self, timeout, cancellationToken, null, messageFactory);

    private static Task<T> Ask<T>(ICanTell self, TimeSpan? timeout, CancellationToken cancellationToken, object? message, Func<IActorRef, object>? factory)
    {
        IActorRefProvider provider = ProviderOf(self) ?? throw new ArgumentException("There is no actor system behind this target", nameof(self));
        TimeSpan limit = timeout ?? provider.Settings.AskTimeout;
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        FutureActorRef<T> asker = provider.CreateFutureRef(result);
        if (limit > TimeSpan.Zero && limit != Timeout.InfiniteTimeSpan)
        {
            ITimer timer = provider.Settings.Clock.CreateTimer(
                static state => ((Deadline<T>)state!).Expire(), new Deadline<T>(result, limit, self), limit, Timeout.InfiniteTimeSpan);
            _ = result.Task.ContinueWith(static (_, state) => ((ITimer)state!).Dispose(), timer, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        if (cancellationToken.CanBeCanceled)
        {
            CancellationTokenRegistration registration = cancellationToken.Register(() => result.TrySetCanceled(cancellationToken));
            _ = result.Task.ContinueWith(static (_, state) => ((CancellationTokenRegistration)state!).Dispose(), registration, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        asker.DeliverAsk(factory is null ? message! : factory(asker), self);
        _ = result.Task.ContinueWith(static (_, state) => ((FutureActorRef<T>)state!).Unregister(), asker, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return result.Task;
    }

    private static IActorRefProvider? ProviderOf(ICanTell target)
    {
        if (target is ActorSelection selection)
            return ProviderOf(selection.Anchor);
        if (target is IInternalActorRef and not Nobody)
            return ((IInternalActorRef)target).Provider;
        return InternalCurrentActorCellKeeper.Current?.SystemImpl.Provider;
    }

    private sealed class Deadline<T>(TaskCompletionSource<T> result, TimeSpan limit, ICanTell target)
    {
        public void Expire() => result.TrySetException(new AskTimeoutException($"No answer from {target} within {limit}"));
    }
}

public static class GracefulStopSupport
{
    /// <inheritdoc cref="GracefulStop(IActorRef, TimeSpan, object)"/>
    public static Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout) => target.GracefulStop(timeout, PoisonPill.Instance);

    /// <summary>Sends the stop message and waits until the actor has ended.</summary>
    /// <returns>True; fails with <see cref="TaskCanceledException"/> when it has not ended in time.</returns>
    public static async Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout, object stopMessage)
    {
        var internalTarget = (IInternalActorRef)target;
        var watcher = new DeathWatcher(internalTarget);
        target.Tell(stopMessage, ActorRefs.NoSender);
        try
        {
            return await watcher.Ended.WaitAsync(timeout, internalTarget.Provider.Settings.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            watcher.Unwatch();
            throw new TaskCanceledException($"{target} did not end within {timeout}");
        }
    }
}

public static class WatchAsyncSupport
{
    /// <returns>True when the actor has ended; false when the token is cancelled first.</returns>
    public static async Task<bool> WatchAsync(this IActorRef target, CancellationToken token = default)
    {
        var watcher = new DeathWatcher((IInternalActorRef)target);
        try
        {
            return await watcher.Ended.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            watcher.Unwatch();
            return false;
        }
    }
}
