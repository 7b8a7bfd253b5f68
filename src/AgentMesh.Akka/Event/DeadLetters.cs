using Akka.Actor;

namespace Akka.Event;

/// <summary>Not reported as a dead letter.</summary>
public interface IDeadLetterSuppression
{
}

/// <summary>A message that nobody handled.</summary>
public abstract class AllDeadLetters : IWrappedMessage
{
    protected AllDeadLetters(object message, IActorRef sender, IActorRef recipient)
    {
        Message = message;
        Sender = sender;
        Recipient = recipient;
    }

    public object Message { get; }

    public IActorRef Sender { get; }

    public IActorRef Recipient { get; }

    public override string ToString() => $"{GetType().Name} from {Sender} to {Recipient}: <{Message}>";
}

/// <summary>Sent to an actor that has ended or never was.</summary>
public sealed class DeadLetter : AllDeadLetters
{
    public DeadLetter(object message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
    }
}

/// <summary>A dead letter that nobody needs to know of.</summary>
public sealed class SuppressedDeadLetter : AllDeadLetters
{
    public SuppressedDeadLetter(IDeadLetterSuppression message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
    }
}

/// <summary>The actor had no handler for it.</summary>
public sealed class UnhandledMessage : AllDeadLetters
{
    public UnhandledMessage(object message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
    }
}

/// <summary>Given up on the way, for a reason.</summary>
public sealed class Dropped : AllDeadLetters
{
    public Dropped(object message, string reason, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient) => Reason = reason;

    public Dropped(object message, string reason, IActorRef recipient)
        : this(message, reason, ActorRefs.NoSender, recipient)
    {
    }

    public string Reason { get; }
}
