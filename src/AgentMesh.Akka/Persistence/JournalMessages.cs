using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>Asks the journal to write a batch; the answers go to <see cref="PersistentActor"/> in the order of the requests.</summary>
public sealed class WriteMessages(IEnumerable<IPersistentEnvelope> messages, IActorRef persistentActor, int actorInstanceId) : IJournalRequest
{
    public IEnumerable<IPersistentEnvelope> Messages { get; } = messages;

    public IActorRef PersistentActor { get; } = persistentActor;

    /// <summary>Tells the incarnations of an actor apart: answers to an earlier one are ignored.</summary>
    public int ActorInstanceId { get; } = actorInstanceId;
}

/// <summary>The batch was processed; an answer for each event follows.</summary>
public sealed class WriteMessagesSuccessful : IJournalResponse
{
    private WriteMessagesSuccessful()
    {
    }

    public static WriteMessagesSuccessful Instance { get; } = new();

    /// <summary>The incarnation whose batch it was; 0 when the journal does not say.</summary>
    internal int ActorInstanceId { get; private init; }

    internal static WriteMessagesSuccessful Of(int actorInstanceId) => new() { ActorInstanceId = actorInstanceId };
}

/// <summary>The batch failed; an answer for each event follows.</summary>
public sealed class WriteMessagesFailed(Exception cause, int writeCount) : IJournalResponse
{
    public Exception Cause { get; } = cause;

    /// <summary>Atomic writes in the batch.</summary>
    public int WriteCount { get; } = writeCount;

    /// <summary>The incarnation whose batch it was; 0 when the journal does not say.</summary>
    internal int ActorInstanceId { get; init; }
}

public sealed class WriteMessageSuccess(IPersistentRepresentation persistent, int actorInstanceId) : IJournalResponse
{
    public IPersistentRepresentation Persistent { get; } = persistent;

    public int ActorInstanceId { get; } = actorInstanceId;
}

/// <summary>The event was certainly not stored, and the journal goes on.</summary>
public sealed class WriteMessageRejected(IPersistentRepresentation persistent, Exception cause, int actorInstanceId) : IJournalResponse
{
    public IPersistentRepresentation Persistent { get; } = persistent;

    public Exception Cause { get; } = cause;

    public int ActorInstanceId { get; } = actorInstanceId;
}

/// <summary>Whether the event was stored is unknown.</summary>
public sealed class WriteMessageFailure(IPersistentRepresentation persistent, Exception cause, int actorInstanceId) : IJournalResponse
{
    public IPersistentRepresentation Persistent { get; } = persistent;

    public Exception Cause { get; } = cause;

    public int ActorInstanceId { get; } = actorInstanceId;
}

/// <summary>An event that is not stored has come back in its place among those that are.</summary>
public sealed class LoopMessageSuccess(object message, int actorInstanceId) : IJournalResponse
{
    public object Message { get; } = message;

    public int ActorInstanceId { get; } = actorInstanceId;
}

/// <summary>Asks the journal for the events of one persistence id within inclusive bounds.</summary>
public sealed class ReplayMessages(long fromSequenceNr, long toSequenceNr, long max, string persistenceId, IActorRef persistentActor) : IJournalRequest
{
    public long FromSequenceNr { get; } = fromSequenceNr;

    public long ToSequenceNr { get; } = toSequenceNr;

    /// <summary>Largest number of events.</summary>
    public long Max { get; } = max;

    public string PersistenceId { get; } = persistenceId;

    public IActorRef PersistentActor { get; } = persistentActor;

    /// <summary>The incarnation that asks; its answers carry it, so that the next incarnation does not take them for its own.</summary>
    internal int ActorInstanceId { get; init; }
}

public sealed class ReplayedMessage(IPersistentRepresentation persistent) : IJournalResponse, IDeadLetterSuppression
{
    public IPersistentRepresentation Persistent { get; } = persistent;

    internal int ActorInstanceId { get; init; }
}

/// <summary>The replay has ended.</summary>
public sealed class RecoverySuccess(long highestSequenceNr) : IJournalResponse, IDeadLetterSuppression
{
    /// <summary>Highest number ever used by the persistence id, replayed or not.</summary>
    public long HighestSequenceNr { get; } = highestSequenceNr;

    internal int ActorInstanceId { get; init; }
}

public sealed class ReplayMessagesFailure(Exception cause) : IJournalResponse, IDeadLetterSuppression
{
    public Exception Cause { get; } = cause;

    internal int ActorInstanceId { get; init; }
}

public sealed class DeleteMessagesTo(string persistenceId, long toSequenceNr, IActorRef persistentActor) : IJournalRequest
{
    public string PersistenceId { get; } = persistenceId;

    /// <summary>Inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    public IActorRef PersistentActor { get; } = persistentActor;
}

public sealed class DeleteMessagesSuccess(long toSequenceNr) : IEquatable<DeleteMessagesSuccess>
{
    public long ToSequenceNr { get; } = toSequenceNr;

    public bool Equals(DeleteMessagesSuccess? other) => other is not null && other.ToSequenceNr == ToSequenceNr;

    public override bool Equals(object? obj) => Equals(obj as DeleteMessagesSuccess);

    public override int GetHashCode() => ToSequenceNr.GetHashCode();
}

public sealed class DeleteMessagesFailure(Exception cause, long toSequenceNr) : INoSerializationVerificationNeeded
{
    public Exception Cause { get; } = cause;

    public long ToSequenceNr { get; } = toSequenceNr;
}
