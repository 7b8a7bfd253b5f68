using Akka.Actor.Internal;
using Akka.Dispatch;
using Akka.Util;

namespace Akka.Actor;

/// <summary>Messages put aside by an actor. They come back in front of the mailbox, in the order they were put aside.</summary>
public interface IStash
{
    int Count { get; }

    bool IsEmpty { get; }

    bool NonEmpty { get; }

    bool IsFull { get; }

    /// <summary>-1 for no limit.</summary>
    int Capacity { get; }

    /// <summary>Puts the message being handled aside.</summary>
    /// <exception cref="IllegalActorStateException">It is aside already.</exception>
    /// <exception cref="StashOverflowException">The stash is full.</exception>
    void Stash();

    /// <summary>Brings the oldest one back.</summary>
    void Unstash();

    void UnstashAll();

    /// <summary>Brings those back that match; the others stay.</summary>
    void UnstashAll(Func<Envelope, bool> predicate);

    /// <summary>Takes all out without handling them.</summary>
    IEnumerable<Envelope> ClearStash();

    void Prepend(IEnumerable<Envelope> envelopes);
}

/// <summary>An actor with a stash; it is set when the constructor has run.</summary>
public interface IActorStash
{
    IStash Stash { get; set; }
}

public interface IWithUnrestrictedStash : IActorStash
{
}

/// <summary>A stash without limit unless the props or the mailbox give a <c>stash-capacity</c>.</summary>
public interface IWithStash : IWithUnrestrictedStash, IRequiresMessageQueue<IDequeBasedMessageQueueSemantics>
{
}

/// <summary>A stash without limit.</summary>
public interface IWithUnboundedStash : IWithUnrestrictedStash, IRequiresMessageQueue<IUnboundedDequeBasedMessageQueueSemantics>
{
}

/// <summary>A stash as large as the bounded mailbox.</summary>
public interface IWithBoundedStash : IWithUnrestrictedStash, IRequiresMessageQueue<IBoundedDequeBasedMessageQueueSemantics>
{
}

public abstract class UntypedActorWithStash : UntypedActor, IWithStash
{
    public IStash Stash { get; set; } = null!;
}

public abstract class UntypedActorWithUnboundedStash : UntypedActor, IWithUnboundedStash
{
    public IStash Stash { get; set; } = null!;
}

public static class StashFactory
{
    public static IStash CreateStash<T>(this IActorContext context)
        where T : ActorBase => context.CreateStash(typeof(T));

    public static IStash CreateStash(this IActorContext context, IActorStash actorInstance) => context.CreateStash(actorInstance.GetType());

    public static IStash CreateStash(this IActorContext context, Type actorType)
    {
        if (actorType.Implements<IWithBoundedStash>())
            return new BoundedStashImpl(context);
        if (actorType.Implements<IWithUnboundedStash>())
            return new UnboundedStashImpl(context);
        if (actorType.Implements<IActorStash>())
            return new UnboundedStashImpl(context);
        throw new ArgumentException($"{actorType.FullName} has no stash interface", nameof(actorType));
    }
}
