namespace Akka.Actor;

/// <summary>A message with its sender, as it lies in a mailbox.</summary>
public readonly struct Envelope
{
    public Envelope(object message, IActorRef sender)
    {
        Message = message;
        Sender = sender;
    }

    /// <summary>Puts the dead letters of the system where there is no sender.</summary>
    /// <exception cref="InvalidMessageException">The message is null.</exception>
    public Envelope(object message, IActorRef sender, ActorSystem system)
    {
        Message = message ?? throw new InvalidMessageException();
        Sender = sender ?? system.DeadLetters;
    }

    public object Message { get; }

    public IActorRef Sender { get; }

    public override string ToString() => $"<{Message}> from {(Sender is null ? "NoSender" : Sender.ToString())}";
}
