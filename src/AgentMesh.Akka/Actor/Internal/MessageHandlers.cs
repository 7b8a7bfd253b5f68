using Akka.Dispatch;

namespace Akka.Actor.Internal;

/// <summary>One declared handler of a <see cref="ReceiveActor"/>.</summary>
internal abstract class MessageHandler
{
    /// <returns>False when the message is not for this handler.</returns>
    public abstract bool TryHandle(object message);
}

internal sealed class ActionHandler<T>(Action<T> handler, Predicate<T>? shouldHandle) : MessageHandler
{
    public override bool TryHandle(object message)
    {
        if (message is not T typed || (shouldHandle is not null && !shouldHandle(typed)))
            return false;
        handler(typed);
        return true;
    }
}

internal sealed class FuncHandler<T>(Func<T, bool> handler) : MessageHandler
{
    public override bool TryHandle(object message) => message is T typed && handler(typed);
}

internal sealed class AsyncHandler<T>(Func<T, Task> handler, Predicate<T>? shouldHandle) : MessageHandler
{
    public override bool TryHandle(object message)
    {
        if (message is not T typed || (shouldHandle is not null && !shouldHandle(typed)))
            return false;
        ActorTaskScheduler.RunTask(() => handler(typed));
        return true;
    }
}

internal sealed class TypeHandler(Type type, Action<object> handler, Predicate<object>? shouldHandle) : MessageHandler
{
    public override bool TryHandle(object message)
    {
        if (!type.IsInstanceOfType(message) || (shouldHandle is not null && !shouldHandle(message)))
            return false;
        handler(message);
        return true;
    }
}

internal sealed class TypeFuncHandler(Type type, Func<object, bool> handler) : MessageHandler
{
    public override bool TryHandle(object message) => type.IsInstanceOfType(message) && handler(message);
}

internal sealed class AnyHandler(Action<object> handler) : MessageHandler
{
    public override bool TryHandle(object message)
    {
        handler(message);
        return true;
    }
}
