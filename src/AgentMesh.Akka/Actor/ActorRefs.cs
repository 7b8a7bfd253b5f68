using Akka.Util;

namespace Akka.Actor;

public static class ActorRefs
{
    /// <summary>The reference of nothing: messages to it vanish.</summary>
    public static readonly Nobody Nobody = Nobody.Instance;

    /// <summary>A message without a sender; the receiver sees dead letters.</summary>
    public static readonly IActorRef NoSender = null!;
}

public static class ActorRefExtensions
{
    public static bool IsNobody(this IActorRef actorRef) => actorRef is null or Nobody;

    public static IActorRef GetOrElse(this IActorRef actorRef, Func<IActorRef> elseValue) => actorRef.IsNobody() ? elseValue() : actorRef;
}

public static class ActorRefImplicitSenderExtensions
{
    /// <summary>Sends from the actor that is running, or from nobody outside of one.</summary>
    public static void Tell(this IActorRef receiver, object message) => receiver.Tell(message, ActorCell.GetCurrentSelfOrNoSender());

    /// <summary>Sends on, keeping the sender of the message that is being handled.</summary>
    public static void Forward(this IActorRef receiver, object message) => receiver.Tell(message, ActorCell.GetCurrentSenderOrNoSender());
}

/// <summary>The reference of nothing.</summary>
public sealed class Nobody : MinimalActorRef
{
    public static Nobody Instance = new();

    private readonly ActorPath _path = new RootActorPath(new Address("akka", "all-systems")) / "Nobody";

    private Nobody()
    {
    }

    public override ActorPath Path => _path;

    public override IActorRefProvider Provider => throw new NotSupportedException("Nobody has no provider");

    public override ISurrogate ToSurrogate(ActorSystem system) => new NobodySurrogate();

    public class NobodySurrogate : ISurrogate
    {
        public ISurrogated FromSurrogate(ActorSystem system) => Instance;
    }
}
