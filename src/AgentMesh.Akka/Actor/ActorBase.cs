using Akka.Actor.Internal;
using Akka.Event;

namespace Akka.Actor;

/// <summary>
/// The base of actors. One thread at a time runs an actor, and what it wrote is visible to the next one. Override <see cref="Receive(object)"/>;
/// <see cref="PreStart"/> runs before the first message, <see cref="PostStop"/> after the last.
/// </summary>
public abstract class ActorBase : IInternalActor
{
    private readonly ActorCell _cell;
    private bool _cleared;

    /// <exception cref="ActorInitializationException">Called outside of the creation of an actor by the engine.</exception>
    protected ActorBase()
    {
        _cell = InternalCurrentActorCellKeeper.Current
            ?? throw new ActorInitializationException($"An instance of {GetType().FullName} cannot be made with new; use ActorOf with Props");
        SelfRef = _cell.Self;
        _cell.Become(Receive);
    }

    IActorContext IInternalActor.ActorContext => _cell;

    /// <summary>The context of the actor that is running on this thread.</summary>
    /// <exception cref="NotSupportedException">No actor is running here; take what is needed out of the context before going to another thread.</exception>
    protected static IActorContext Context => CurrentCell;

    /// <summary>A behaviour that handles nothing.</summary>
    protected static Receive EmptyReceive { get; } = static _ => false;

    protected IActorRef Self => SelfRef;

    /// <summary>Who sent the message being handled; dead letters when nobody did.</summary>
    protected IActorRef Sender => _cell.Sender;

    internal static ActorCell CurrentCell => InternalCurrentActorCellKeeper.Current
        ?? throw new NotSupportedException("There is no actor context here: this code runs outside of an actor, or after an await that left it");

    internal IActorRef SelfRef { get; }

    internal Receive OwnReceive => Receive;

    internal bool IsCleared => _cleared;

    public virtual void AroundPreStart() => PreStart();

    public virtual void AroundPreRestart(Exception cause, object message) => PreRestart(cause, message);

    public virtual void AroundPostRestart(Exception cause, object message) => PostRestart(cause);

    public virtual void AroundPostStop() => PostStop();

    internal void MarkCleared() => _cleared = true;

    internal bool InvokeAroundReceive(Receive receive, object message) => AroundReceive(receive, message);

    internal void InvokeUnhandled(object message) => Unhandled(message);

    internal SupervisorStrategy CreateSupervisorStrategy() => SupervisorStrategy();

    /// <returns>False when the message is not known.</returns>
    protected abstract bool Receive(object message);

    protected virtual bool AroundReceive(Receive receive, object message)
    {
        bool handled = receive(message);
        if (!handled)
            Unhandled(message);
        return handled;
    }

    /// <summary>A <see cref="Terminated"/> nobody handled fails the actor; anything else goes to the event stream as <see cref="UnhandledMessage"/>.</summary>
    /// <exception cref="DeathPactException">The message is <see cref="Terminated"/>.</exception>
    protected virtual void Unhandled(object message)
    {
        if (message is Terminated terminated)
            throw new DeathPactException(terminated.ActorRef);
        _cell.System.EventStream.Publish(new UnhandledMessage(message, Sender, Self));
    }

    protected virtual void PreStart()
    {
    }

    protected virtual void PostStop()
    {
    }

    /// <summary>Runs in the failed instance: stops all children, then calls <see cref="PostStop"/>.</summary>
    protected virtual void PreRestart(Exception reason, object message)
    {
        foreach (IInternalActorRef child in _cell.GetChildren())
        {
            _cell.Unwatch(child);
            _cell.Stop((IActorRef)child);
        }

        PostStop();
    }

    /// <summary>Runs in the new instance: calls <see cref="PreStart"/>.</summary>
    protected virtual void PostRestart(Exception reason) => PreStart();

    /// <summary>How failures of the children are handled; null for the strategy of the configuration.</summary>
    protected virtual SupervisorStrategy SupervisorStrategy() => Actor.SupervisorStrategy.DefaultStrategy;

    protected void Become(Receive receive) => _cell.Become(receive);

    protected void BecomeStacked(Receive receive) => _cell.BecomeStacked(receive);

    protected void UnbecomeStacked() => _cell.UnbecomeStacked();

    protected void SetReceiveTimeout(TimeSpan? timeout) => _cell.SetReceiveTimeout(timeout);
}
