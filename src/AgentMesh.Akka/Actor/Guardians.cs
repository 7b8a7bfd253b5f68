using Akka.Dispatch;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The actor at /user and at the root.</summary>
public class GuardianActor : ActorBase, IRequiresMessageQueue<IUnboundedMessageQueueSemantics>
{
    protected override void PreStart()
    {
        // Children are made from outside.
    }

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Terminated:
                Context.Stop(Self);
                return true;
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            default:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                return true;
        }
    }
}

/// <summary>The actor at /system: it ends after /user and after whoever registered a termination hook is done.</summary>
public class SystemGuardianActor : ActorBase, IRequiresMessageQueue<IUnboundedMessageQueueSemantics>
{
    private readonly IActorRef _userGuardian;
    private readonly HashSet<IActorRef> _hooks = [];

    public SystemGuardianActor(IActorRef userGuardian)
    {
        _userGuardian = userGuardian;
        Context.Watch(userGuardian);
    }

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Terminated terminated when terminated.ActorRef.Equals(_userGuardian):
                Become(Terminating);
                foreach (IActorRef hook in _hooks)
                    hook.Tell(TerminationHook.Instance);
                StopWhenDone();
                return true;
            case Terminated terminated:
                _hooks.Remove(terminated.ActorRef);
                return true;
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            case RegisterTerminationHook when !ReferenceEquals(Sender, Context.System.DeadLetters):
                _hooks.Add(Sender);
                Context.Watch(Sender);
                return true;
            default:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                return true;
        }
    }

    protected override void PreRestart(Exception reason, object message)
    {
        // The children are services of the system and stay.
    }

    private bool Terminating(object message)
    {
        switch (message)
        {
            case Terminated terminated:
                _hooks.Remove(terminated.ActorRef);
                StopWhenDone();
                return true;
            case TerminationHookDone:
                _hooks.Remove(Sender);
                StopWhenDone();
                return true;
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            default:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                return true;
        }
    }

    private void StopWhenDone()
    {
        if (_hooks.Count == 0)
            Context.Stop(Self);
    }
}

/// <summary>Above the root: notes that the tree has ended.</summary>
public class RootGuardianSupervisor : MinimalActorRef
{
    private readonly TaskCompletionSource<Status> _terminationPromise;
    private readonly ILoggingAdapter _log;

    public RootGuardianSupervisor(RootActorPath root, IActorRefProvider provider, TaskCompletionSource<Status> terminationPromise, ILoggingAdapter log)
    {
        _terminationPromise = terminationPromise;
        _log = log;
        Provider = provider;
        Path = root / "_Root-guardian-supervisor";
    }

    /// <summary>Null while nothing failed.</summary>
    public Exception CauseOfTermination { get; private set; } = null!;

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider { get; }

    public override void Stop() => _terminationPromise.TrySetResult(new Status.Success(null!));

    public override void SendSystemMessage(ISystemMessage systemMessage)
    {
        switch (systemMessage)
        {
            case Failed failed:
                CauseOfTermination = failed.Cause;
                _log.Error(failed.Cause, "The guardian {0} failed, shutting down!", failed.Child);
                ((IInternalActorRef)failed.Child).Stop();
                break;
            case DeathWatchNotification:
                Stop();
                break;
        }
    }

    protected override void TellInternal(object message, IActorRef sender) => _log.Debug("Above the root nobody reads [{0}]", message);
}
