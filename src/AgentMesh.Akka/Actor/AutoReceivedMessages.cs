using Akka.Event;

namespace Akka.Actor;

/// <summary>A watched actor has ended.</summary>
public sealed class Terminated : IAutoReceivedMessage, IPossiblyHarmful, IDeadLetterSuppression, INoSerializationVerificationNeeded, IEquatable<Terminated>
{
    public Terminated(IActorRef actorRef, bool existenceConfirmed, bool addressTerminated)
    {
        ActorRef = actorRef;
        ExistenceConfirmed = existenceConfirmed;
        AddressTerminated = addressTerminated;
    }

    public IActorRef ActorRef { get; }

    /// <summary>False when the actor may never have existed.</summary>
    public bool ExistenceConfirmed { get; }

    /// <summary>True when the whole system of the actor is gone.</summary>
    public bool AddressTerminated { get; }

    public bool Equals(Terminated? other) =>
        other is not null && ActorRef.Equals(other.ActorRef) && ExistenceConfirmed == other.ExistenceConfirmed && AddressTerminated == other.AddressTerminated;

    public override bool Equals(object? obj) => obj is Terminated other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(ActorRef, ExistenceConfirmed, AddressTerminated);

    public override string ToString() => $"<Terminated>: {ActorRef} - ExistenceConfirmed={ExistenceConfirmed}";
}

/// <summary>Asks an actor for its reference; answered with <see cref="ActorIdentity"/>.</summary>
public sealed class Identify : IAutoReceivedMessage, INotInfluenceReceiveTimeout
{
    /// <param name="messageId">Comes back in the answer.</param>
    public Identify(object messageId) => MessageId = messageId;

    public object MessageId { get; }

    public override bool Equals(object? obj) => obj is Identify other && Equals(MessageId, other.MessageId);

    public override int GetHashCode() => MessageId?.GetHashCode() ?? 0;

    public override string ToString() => $"<Identify>: {MessageId}";
}

/// <summary>The answer to <see cref="Identify"/>.</summary>
public sealed class ActorIdentity
{
    public ActorIdentity(object messageId, IActorRef subject)
    {
        MessageId = messageId;
        Subject = subject;
    }

    public object MessageId { get; }

    /// <summary>The actor; null when there is none.</summary>
    public IActorRef Subject { get; }

    public override bool Equals(object? obj) => obj is ActorIdentity other && Equals(MessageId, other.MessageId) && Equals(Subject, other.Subject);

    public override int GetHashCode() => HashCode.Combine(MessageId, Subject);

    public override string ToString() => $"<ActorIdentity>: {Subject} - MessageId={MessageId}";
}

/// <summary>Stops the actor after the messages before it.</summary>
public sealed class PoisonPill : IAutoReceivedMessage, IPossiblyHarmful, IDeadLetterSuppression
{
    private PoisonPill()
    {
    }

    public static PoisonPill Instance { get; } = new();

    public override string ToString() => "<PoisonPill>";
}

/// <summary>Makes the actor fail with <see cref="ActorKilledException"/>; its supervisor decides.</summary>
public sealed class Kill : IAutoReceivedMessage
{
    private Kill()
    {
    }

    public static Kill Instance { get; } = new();

    public override string ToString() => "<Kill>";
}

/// <summary>No message came for the time set with <c>SetReceiveTimeout</c>.</summary>
public class ReceiveTimeout : IPossiblyHarmful
{
    private ReceiveTimeout()
    {
    }

    public static ReceiveTimeout Instance { get; } = new();
}

/// <summary>An outcome as a message.</summary>
public abstract class Status
{
    public sealed class Success : Status
    {
        public static readonly Success Instance = new(null!);

        public readonly object Status;

        public Success(object status) => Status = status;

        public override string ToString() => $"Success: {Status}";
    }

    /// <summary>An <c>Ask</c> that is answered with it fails with <see cref="Cause"/>.</summary>
    public sealed class Failure : Status
    {
        public readonly Exception Cause;

        public readonly object State;

        public Failure(Exception cause)
            : this(cause, null!)
        {
        }

        public Failure(Exception cause, object state)
        {
            Cause = cause;
            State = state;
        }

        public override string ToString() => State is null ? $"Failure: {Cause}" : $"Failure: {State}";
    }
}
