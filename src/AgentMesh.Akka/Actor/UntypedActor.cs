using Akka.Actor.Internal;
using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>An actor whose handler returns nothing; call <c>Unhandled</c> for what is not known.</summary>
public abstract class UntypedActor : ActorBase
{
    protected static new IUntypedActorContext Context => CurrentCell;

    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

    protected abstract void OnReceive(object message);

    protected void Become(UntypedReceive receive) => Context.Become(receive);

    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);

    /// <summary>Runs a task as part of the message: the next message waits until it has ended, and its continuations run as the actor.</summary>
    protected void RunTask(Func<Task> action) => ActorTaskScheduler.RunTask(action);

    protected void RunTask(Action action) => ActorTaskScheduler.RunTask(action);
}
