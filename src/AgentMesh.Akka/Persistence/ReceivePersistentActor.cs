using Akka.Actor;

namespace Akka.Persistence;

/// <summary>
/// A persistent actor that is put together from handlers: <c>Command</c> for messages, <c>Recover</c> for what the journal and the snapshot store return.
/// Handlers are tried in the order of their definition; the first that matches takes the message.
/// </summary>
public abstract class ReceivePersistentActor : UntypedPersistentActor
{
    private readonly HandlerTable _recover = new();
    private readonly HandlerTable _initial = new();
    private HandlerTable? _defining;
    private bool _isConstructing = true;

    protected ReceivePersistentActor() => _defining = _initial;

    public override void AroundPreStart()
    {
        EndConstruction();
        base.AroundPreStart();
    }

    public override void AroundPostRestart(Exception reason, object message)
    {
        EndConstruction();
        base.AroundPostRestart(reason, message);
    }

    protected sealed override void OnCommand(object message) => Run(_initial, message);

    protected sealed override void OnRecover(object message) => Run(_recover, message);

    /// <summary>Replaces the command handlers by those that <paramref name="configure"/> defines.</summary>
    protected void Become(Action configure)
    {
        HandlerTable table = Define(configure);
        Become(message => Run(table, message));
    }

    /// <summary>As <see cref="Become(Action)"/>, and keeps the present handlers for <c>UnbecomeStacked</c>.</summary>
    protected void BecomeStacked(Action configure)
    {
        HandlerTable table = Define(configure);
        BecomeStacked(message => Run(table, message));
    }

    protected void Command<T>(Action<T> handler, Predicate<T>? shouldHandle = null) => Commands().Add(handler, shouldHandle);

    protected void Command<T>(Predicate<T> shouldHandle, Action<T> handler) => Commands().Add(handler, shouldHandle);

    /// <param name="handler">Returns false to leave the message to the next handler.</param>
    protected void Command<T>(Func<T, bool> handler) => Commands().Add(typeof(T), o => handler((T)o));

    protected void Command(Type messageType, Action<object> handler, Predicate<object>? shouldHandle = null) => Commands().Add(messageType, handler, shouldHandle);

    protected void Command(Type messageType, Predicate<object> shouldHandle, Action<object> handler) => Commands().Add(messageType, handler, shouldHandle);

    protected void Command(Type messageType, Func<object, bool> handler) => Commands().Add(messageType, handler);

    protected void Command(Action<object> handler) => Commands().Add(typeof(object), handler, null);

    protected void CommandAny(Action<object> handler) => Commands().Add(typeof(object), handler, null);

    /// <summary>No other message is handled until the task has ended.</summary>
    protected void CommandAsync<T>(Func<T, Task> handler, Predicate<T>? shouldHandle = null) => Commands().Add<T>(m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) => Commands().Add<T>(m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAsync(Type messageType, Func<object, Task> handler, Predicate<object>? shouldHandle = null) =>
        Commands().Add(messageType, m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAsync(Type messageType, Predicate<object> shouldHandle, Func<object, Task> handler) =>
        Commands().Add(messageType, m => RunTask(() => handler(m)), shouldHandle);

    protected void CommandAnyAsync(Func<object, Task> handler) => Commands().Add(typeof(object), m => RunTask(() => handler(m)), null);

    protected void Recover<T>(Action<T> handler, Predicate<T>? shouldHandle = null) => Recoveries().Add(handler, shouldHandle);

    protected void Recover<T>(Predicate<T> shouldHandle, Action<T> handler) => Recoveries().Add(handler, shouldHandle);

    protected void Recover<T>(Func<T, bool> handler) => Recoveries().Add(typeof(T), o => handler((T)o));

    protected void Recover(Type messageType, Action<object> handler, Predicate<object>? shouldHandle = null) => Recoveries().Add(messageType, handler, shouldHandle);

    protected void Recover(Type messageType, Predicate<object> shouldHandle, Action<object> handler) => Recoveries().Add(messageType, handler, shouldHandle);

    protected void Recover(Type messageType, Func<object, bool> handler) => Recoveries().Add(messageType, handler);

    protected void RecoverAny(Action<object> handler) => Recoveries().Add(typeof(object), handler, null);

    private void Run(HandlerTable table, object message)
    {
        if (!table.TryHandle(message))
        {
            Unhandled(message);
        }
    }

    private HandlerTable Define(Action configure)
    {
        HandlerTable? before = _defining;
        HandlerTable table = new();
        _defining = table;
        try
        {
            configure();
        }
        finally
        {
            _defining = before;
        }

        return table;
    }

    private HandlerTable Commands() =>
        _defining ?? throw new InvalidOperationException("command handlers can be defined only in the constructor and in Become");

    private HandlerTable Recoveries() =>
        _isConstructing ? _recover : throw new InvalidOperationException("recovery handlers can be defined only in the constructor");

    private void EndConstruction()
    {
        _isConstructing = false;
        _defining = null;
    }
}
