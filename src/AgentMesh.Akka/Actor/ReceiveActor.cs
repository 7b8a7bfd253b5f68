using Akka.Actor.Internal;
using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>
/// An actor that declares a handler per message type in its constructor. The first handler whose type and predicate match gets the
/// message; what none matches is unhandled.
/// </summary>
public abstract class ReceiveActor : UntypedActor, IInitializableActor
{
    private List<MessageHandler>? _collecting = [];
    private MessageHandler[] _initial = [];

    void IInitializableActor.Init()
    {
        if (_collecting is null)
            return;
        _initial = [.. _collecting];
        _collecting = null;
    }

    protected sealed override void OnReceive(object message)
    {
        if (!Handle(_initial, message))
            Unhandled(message);
    }

    /// <summary>Replaces the handlers by those that <paramref name="configure"/> declares.</summary>
    protected void Become(Action configure) => Become(Collect(configure));

    /// <summary>Puts the handlers that <paramref name="configure"/> declares on top of the present ones.</summary>
    protected void BecomeStacked(Action configure) => BecomeStacked(Collect(configure));

    protected void Receive<T>(Action<T> handler, Predicate<T> shouldHandle = null!) => Add(new ActionHandler<T>(handler, shouldHandle));

    protected void Receive<T>(Predicate<T> shouldHandle, Action<T> handler) => Receive(handler, shouldHandle);

    /// <param name="handler">False passes the message on to the next handler.</param>
    protected void Receive<T>(Func<T, bool> handler) => Add(new FuncHandler<T>(handler));

    protected void Receive(Type messageType, Action<object> handler, Predicate<object> shouldHandle = null!) =>
        Add(new TypeHandler(messageType, handler, shouldHandle));

    protected void Receive(Type messageType, Predicate<object> shouldHandle, Action<object> handler) => Receive(messageType, handler, shouldHandle);

    protected void Receive(Type messageType, Func<object, bool> handler) => Add(new TypeFuncHandler(messageType, handler));

    /// <summary>Handles everything that the handlers before did not; none may follow.</summary>
    protected void ReceiveAny(Action<object> handler) => Add(new AnyHandler(handler));

    /// <summary>A handler that may await; the next message waits until it has ended.</summary>
    protected void ReceiveAsync<T>(Func<T, Task> handler, Predicate<T> shouldHandle = null!) => Add(new AsyncHandler<T>(handler, shouldHandle));

    protected void ReceiveAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) => ReceiveAsync(handler, shouldHandle);

    protected void ReceiveAsync(Type messageType, Func<object, Task> handler, Predicate<object> shouldHandle = null!) =>
        Add(new TypeHandler(messageType, message => ActorTaskScheduler.RunTask(() => handler(message)), shouldHandle));

    protected void ReceiveAsync(Type messageType, Predicate<object> shouldHandle, Func<object, Task> handler) =>
        ReceiveAsync(messageType, handler, shouldHandle);

    protected void ReceiveAnyAsync(Func<object, Task> handler) =>
        Add(new AnyHandler(message => ActorTaskScheduler.RunTask(() => handler(message))));

    private static bool Handle(MessageHandler[] handlers, object message)
    {
        foreach (MessageHandler handler in handlers)
        {
            if (handler.TryHandle(message))
                return true;
        }

        return false;
    }

    private Receive Collect(Action configure)
    {
        List<MessageHandler>? outer = _collecting;
        var collecting = new List<MessageHandler>();
        _collecting = collecting;
        try
        {
            configure();
        }
        finally
        {
            _collecting = outer;
        }

        MessageHandler[] handlers = [.. collecting];
        return message => Handle(handlers, message);
    }

    private void Add(MessageHandler handler)
    {
        if (_collecting is null)
            throw new InvalidOperationException("Handlers can be declared only in the constructor of the actor and inside Become");
        if (_collecting.Count > 0 && _collecting[^1] is AnyHandler)
            throw new InvalidOperationException("A handler after ReceiveAny would never be called");
        _collecting.Add(handler);
    }
}
