using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Marks what persistent actors, journals and snapshot stores tell each other.</summary>
public interface IPersistenceMessage : INoSerializationVerificationNeeded;

public interface IJournalMessage : IPersistenceMessage;

public interface IJournalRequest : IJournalMessage;

public interface IJournalResponse : IJournalMessage;

public interface ISnapshotMessage : IPersistenceMessage;

public interface ISnapshotRequest : ISnapshotMessage;

public interface ISnapshotResponse : ISnapshotMessage;

/// <summary>What travels to the journal in one batch: an atomic write, or an event that only keeps its place in the order.</summary>
public interface IPersistentEnvelope
{
    object Payload { get; }

    IActorRef Sender { get; }

    /// <summary>Number of events.</summary>
    int Size { get; }
}

/// <summary>The last message of every recovery, delivered to the recovery handler before the first command.</summary>
public sealed class RecoveryCompleted
{
    public static readonly RecoveryCompleted Instance = new();

    private RecoveryCompleted()
    {
    }
}
