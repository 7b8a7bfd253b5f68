using Akka.Actor;

namespace Akka.TestKit;

/// <summary>A message that reached a test actor, and who sent it.</summary>
public abstract class MessageEnvelope
{
    protected MessageEnvelope()
    {
    }

    public abstract object Message { get; }

    public abstract IActorRef Sender { get; }
}

public class RealMessageEnvelope : MessageEnvelope
{
    public RealMessageEnvelope(object message, IActorRef sender)
    {
        Message = message;
        Sender = sender;
    }

    public override object Message { get; }

    public override IActorRef Sender { get; }

    public override string ToString() => $"<{Message}> from {Sender?.ToString() ?? "nobody"}";
}

/// <summary>There was no message.</summary>
public sealed class NullMessageEnvelope : MessageEnvelope
{
    public static NullMessageEnvelope Instance = new();

    private NullMessageEnvelope()
    {
    }

    public override object Message => throw new IllegalActorStateException("No message was received: there is no last message");

    public override IActorRef Sender => throw new IllegalActorStateException("No message was received: there is no last sender");

    public override string ToString() => "no message";
}
