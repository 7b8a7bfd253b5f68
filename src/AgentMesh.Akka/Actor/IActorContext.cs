using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>Creates actors and finds them.</summary>
public interface IActorRefFactory
{
    /// <param name="props">How to make the actor.</param>
    /// <param name="name">Unique among its siblings; null lets the engine choose one that starts with $.</param>
    /// <exception cref="InvalidActorNameException">The name is not valid or is taken.</exception>
    IActorRef ActorOf(Props props, string name = null!);

    ActorSelection ActorSelection(ActorPath actorPath);

    /// <param name="actorPath">Absolute or relative; names may have * and ?.</param>
    ActorSelection ActorSelection(string actorPath);
}

/// <summary>What an actor sees of the engine. Only for the actor itself, while it handles a message.</summary>
public interface IActorContext : IActorRefFactory, ICanWatch
{
    ActorSystem System { get; }

    IActorRef Self { get; }

    IActorRef Sender { get; }

    IActorRef Parent { get; }

    Props Props { get; }

    MessageDispatcher Dispatcher { get; }

    /// <summary>Null when off.</summary>
    TimeSpan? ReceiveTimeout { get; }

    /// <summary>Replaces the behaviour on top.</summary>
    void Become(Receive receive);

    /// <summary>Puts a behaviour on top of the present one.</summary>
    void BecomeStacked(Receive receive);

    /// <summary>Goes back to the behaviour below; at the bottom, to the actor's own.</summary>
    void UnbecomeStacked();

    /// <summary>The child; <see cref="ActorRefs.Nobody"/> when there is none.</summary>
    IActorRef Child(string name);

    IEnumerable<IActorRef> GetChildren();

    /// <summary>Sends <see cref="Actor.ReceiveTimeout"/> to the actor after this long without a message, and again each time; null turns it off.</summary>
    void SetReceiveTimeout(TimeSpan? timeout);

    /// <summary>Stops a child (or any actor of this process) after the message it is handling.</summary>
    void Stop(IActorRef child);
}

/// <summary>The context of an <see cref="UntypedActor"/>.</summary>
public interface IUntypedActorContext : IActorContext
{
    void Become(UntypedReceive receive);

    void BecomeStacked(UntypedReceive receive);
}
