namespace Akka.Actor;

/// <summary>Handled by the cell of the actor, not by the actor.</summary>
public interface IAutoReceivedMessage
{
}

/// <summary>Refused from other systems when untrusted mode is on.</summary>
public interface IPossiblyHarmful
{
}

/// <summary>Never serialized, even when every message is to be checked for it.</summary>
public interface INoSerializationVerificationNeeded
{
}

/// <summary>Does not count as activity for the receive timeout.</summary>
public interface INotInfluenceReceiveTimeout
{
}

/// <summary>Wants every message it receives in the debug log.</summary>
public interface ILogReceive
{
}

/// <summary>Carries another message.</summary>
public interface IWrappedMessage
{
    object Message { get; }
}

public static class WrappedMessage
{
    /// <summary>The innermost message.</summary>
    public static object Unwrap(object message)
    {
        while (message is IWrappedMessage wrapped)
            message = wrapped.Message;
        return message;
    }
}

/// <summary>True for a reference to an actor of this process.</summary>
public interface IActorRefScope
{
    bool IsLocal { get; }
}

/// <summary>Something a message can be sent to.</summary>
public interface ICanTell
{
    /// <param name="message">Not null.</param>
    /// <param name="sender">Who replies go to; <see cref="ActorRefs.NoSender"/> for nobody.</param>
    void Tell(object message, IActorRef sender);
}

/// <summary>Something that can watch actors end.</summary>
public interface ICanWatch
{
    IActorRef Watch(IActorRef subject);

    IActorRef WatchWith(IActorRef subject, object message);

    IActorRef Unwatch(IActorRef subject);
}

/// <summary>Has an actor context.</summary>
public interface IInternalActor
{
    IActorContext ActorContext { get; }
}

/// <summary>Handles one message; false when it does not know it.</summary>
public delegate bool Receive(object message);

/// <summary>Handles one message.</summary>
public delegate void UntypedReceive(object message);
