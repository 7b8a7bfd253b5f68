using Akka.Actor;
using Akka.Event;

namespace Akka.Dispatch.SysMsg;

/// <summary>A message between cells; it overtakes the messages of users and is never lost in this process.</summary>
public interface ISystemMessage : INoSerializationVerificationNeeded
{
}

/// <summary>The base of system messages. An instance is sent once: it is a link of the list of the mailbox it lies in.</summary>
public abstract class SystemMessage : ISystemMessage
{
    internal SystemMessage? Next;

    public bool Unlinked => Next is null;

    public void Unlink() => Next = null;
}

/// <summary>The first message of a cell: make the actor.</summary>
public sealed class Create : SystemMessage
{
    /// <param name="failure">Not null when the actor cannot be made.</param>
    public Create(ActorInitializationException failure = null!) => Failure = failure;

    public ActorInitializationException Failure { get; }

    public override bool Equals(object? obj) => obj is Create other && Equals(Failure, other.Failure);

    public override int GetHashCode() => Failure?.GetHashCode() ?? 0;

    public override string ToString() => "<Create>";
}

/// <summary>Replace the actor by a new instance.</summary>
public sealed class Recreate : SystemMessage
{
    public Recreate(Exception cause) => Cause = cause;

    public Exception Cause { get; }

    public override string ToString() => $"<Recreate> Cause: {Cause}";
}

/// <summary>Handle no messages of users until <see cref="Resume"/>.</summary>
public sealed class Suspend : SystemMessage
{
    public override string ToString() => "<Suspend>";
}

/// <summary>Undoes one <see cref="Suspend"/>.</summary>
public sealed class Resume : SystemMessage
{
    public Resume(Exception causedByFailure) => CausedByFailure = causedByFailure;

    /// <summary>Not null when a failure of the actor itself is forgiven.</summary>
    public Exception CausedByFailure { get; set; }

    public override string ToString() => $"<Resume> CausedByFailure: {CausedByFailure}";
}

/// <summary>End.</summary>
public sealed class Terminate : SystemMessage, IPossiblyHarmful, IDeadLetterSuppression
{
    public override string ToString() => "<Terminate>";
}

/// <summary>Tells a supervisor of a child that was made outside of it.</summary>
public sealed class Supervise : SystemMessage
{
    public Supervise(IActorRef child, bool async)
    {
        Child = child;
        Async = async;
    }

    public IActorRef Child { get; }

    public bool Async { get; }

    public override string ToString() => $"<Supervise>: {Child} - Async={Async}";
}

/// <summary>A child failed; sent to its supervisor.</summary>
public sealed class Failed : SystemMessage
{
    public Failed(IActorRef child, Exception cause, long uid)
    {
        Child = child;
        Cause = cause;
        Uid = uid;
    }

    public IActorRef Child { get; }

    public Exception Cause { get; }

    public long Uid { get; }

    public override string ToString() => $"<Failed>: {Child} (Uid={Uid}) - Cause: {Cause}";
}

public class Watch : SystemMessage
{
    public Watch(IInternalActorRef watchee, IInternalActorRef watcher)
    {
        Watchee = watchee;
        Watcher = watcher;
    }

    public IInternalActorRef Watchee { get; }

    public IInternalActorRef Watcher { get; }

    protected bool Equals(Watch other) => Equals(Watchee, other.Watchee) && Equals(Watcher, other.Watcher);

    public override bool Equals(object? obj) => obj is Watch other && obj.GetType() == GetType() && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Watchee, Watcher);

    public override string ToString() => $"<Watch>: {Watcher} -> {Watchee}";
}

public sealed class Unwatch : SystemMessage
{
    public Unwatch(IInternalActorRef watchee, IInternalActorRef watcher)
    {
        Watchee = watchee;
        Watcher = watcher;
    }

    public IInternalActorRef Watchee { get; }

    public IInternalActorRef Watcher { get; }

    public override bool Equals(object? obj) => obj is Unwatch other && Equals(Watchee, other.Watchee) && Equals(Watcher, other.Watcher);

    public override int GetHashCode() => HashCode.Combine(Watchee, Watcher);

    public override string ToString() => $"<Unwatch>: {Watcher} -> {Watchee}";
}

/// <summary>A watched actor, or a child, has ended.</summary>
public sealed class DeathWatchNotification : SystemMessage, IDeadLetterSuppression
{
    public DeathWatchNotification(IActorRef actor, bool existenceConfirmed, bool addressTerminated)
    {
        Actor = actor;
        ExistenceConfirmed = existenceConfirmed;
        AddressTerminated = addressTerminated;
    }

    public IActorRef Actor { get; }

    public bool ExistenceConfirmed { get; }

    public bool AddressTerminated { get; }

    public override string ToString() => $"<DeathWatchNotification>: {Actor} - ExistenceConfirmed={ExistenceConfirmed} - AddressTerminated={AddressTerminated}";
}

/// <summary>Does nothing.</summary>
public sealed class NoMessage : SystemMessage
{
    public override string ToString() => "NoMessage";
}

/// <summary>Run a step of an asynchronous handler.</summary>
public sealed class ActorTask : SystemMessage
{
    public ActorTask(Task task) => Task = task;

    public Task Task { get; }

    internal ActorTaskScheduler? Scheduler { get; init; }
}

/// <summary>Asks the system guardian to send <see cref="TerminationHook"/> and to wait for <see cref="TerminationHookDone"/> before it ends.</summary>
public sealed class RegisterTerminationHook
{
    private RegisterTerminationHook()
    {
    }

    public static RegisterTerminationHook Instance { get; } = new();

    public override string ToString() => "<RegisterTerminationHook>";
}

public sealed class TerminationHook
{
    private TerminationHook()
    {
    }

    public static TerminationHook Instance { get; } = new();

    public override string ToString() => "<TerminationHook>";
}

public sealed class TerminationHookDone
{
    private TerminationHookDone()
    {
    }

    public static TerminationHookDone Instance { get; } = new();

    public override string ToString() => "<TerminationHookDone>";
}

/// <summary>Asks a guardian to stop one of its children.</summary>
public sealed class StopChild
{
    public StopChild(IActorRef child) => Child = child;

    public IActorRef Child { get; }

    public override string ToString() => $"<StopChild> {Child}";
}
