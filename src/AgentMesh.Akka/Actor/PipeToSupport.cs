namespace Akka.Actor;

/// <summary>Sends the outcome of a task as a message: the result, or a <see cref="Status.Failure"/>.</summary>
public static class PipeToSupport
{
    /// <param name="success">Makes the message of the result; null: the result itself.</param>
    /// <param name="failure">Makes the message of an error; null: a <see cref="Status.Failure"/>.</param>
    public static Task PipeTo<T>(this Task<T> taskToPipe, ICanTell recipient, IActorRef sender = null!, Func<T, object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.PipeTo(recipient, useConfigureAwait: false, sender, success, failure);

    public static async Task PipeTo<T>(this Task<T> taskToPipe, ICanTell recipient, bool useConfigureAwait, IActorRef sender = null!, Func<T, object> success = null!, Func<Exception, object> failure = null!)
    {
        sender ??= ActorRefs.NoSender;
        try
        {
            T result = await taskToPipe.ConfigureAwait(useConfigureAwait);
            recipient.Tell(success is null ? result! : success(result), sender);
        }
        catch (Exception e)
        {
            recipient.Tell(failure is null ? new Status.Failure(e) : failure(e), sender);
        }
    }

    public static Task PipeTo(this Task taskToPipe, ICanTell recipient, IActorRef sender = null!, Func<object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.PipeTo(recipient, useConfigureAwait: false, sender, success, failure);

    /// <param name="success">Makes the message of the end; null: no message.</param>
    public static async Task PipeTo(this Task taskToPipe, ICanTell recipient, bool useConfigureAwait, IActorRef sender = null!, Func<object> success = null!, Func<Exception, object> failure = null!)
    {
        sender ??= ActorRefs.NoSender;
        try
        {
            await taskToPipe.ConfigureAwait(useConfigureAwait);
            if (success is not null)
                recipient.Tell(success(), sender);
        }
        catch (Exception e)
        {
            recipient.Tell(failure is null ? new Status.Failure(e) : failure(e), sender);
        }
    }

    public static Task PipeTo<T>(this ValueTask<T> taskToPipe, ICanTell recipient, IActorRef sender = null!, Func<T, object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.AsTask().PipeTo(recipient, sender, success, failure);

    public static Task PipeTo<T>(this ValueTask<T> taskToPipe, ICanTell recipient, bool useConfigureAwait, IActorRef sender = null!, Func<T, object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.AsTask().PipeTo(recipient, useConfigureAwait, sender, success, failure);

    public static Task PipeTo(this ValueTask taskToPipe, ICanTell recipient, IActorRef sender = null!, Func<object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.AsTask().PipeTo(recipient, sender, success, failure);

    public static Task PipeTo(this ValueTask taskToPipe, ICanTell recipient, bool useConfigureAwait, IActorRef sender = null!, Func<object> success = null!, Func<Exception, object> failure = null!) =>
        taskToPipe.AsTask().PipeTo(recipient, useConfigureAwait, sender, success, failure);
}
