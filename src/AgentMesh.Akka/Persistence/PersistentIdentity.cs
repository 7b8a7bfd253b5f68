using Akka.Actor;

namespace Akka.Persistence;

public interface IPersistentIdentity
{
    /// <summary>Names the stream of events; the same in every incarnation of the entity and of nothing else.</summary>
    string PersistenceId { get; }

    /// <summary>Configuration path of the journal; empty for the default one.</summary>
    string JournalPluginId { get; }

    /// <summary>Configuration path of the snapshot store; empty for the default one.</summary>
    string SnapshotPluginId { get; }
}

public interface IPersistenceRecovery
{
    Recovery Recovery { get; }
}

public interface IPersistenceStash : IWithUnboundedStash
{
    /// <summary>What happens to a message when the internal stash is full.</summary>
    IStashOverflowStrategy InternalStashOverflowStrategy { get; }
}

/// <summary>Saves and deletes snapshots.</summary>
public interface ISnapshotter
{
    string SnapshotterId { get; }

    /// <summary>Sequence number that the next snapshot gets.</summary>
    long SnapshotSequenceNr { get; }

    void LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr);

    void SaveSnapshot(object snapshot);

    void DeleteSnapshot(long sequenceNr);

    void DeleteSnapshots(SnapshotSelectionCriteria criteria);
}

/// <summary>A handler that waits for its event to be stored.</summary>
public interface IPendingHandlerInvocation
{
    object Event { get; }

    Action<object> Handler { get; }
}

/// <summary>Commands wait until it has run.</summary>
public sealed class StashingHandlerInvocation(object evt, Action<object> handler) : IPendingHandlerInvocation
{
    public object Event { get; } = evt;

    public Action<object> Handler { get; } = handler;
}

/// <summary>Commands are handled meanwhile.</summary>
public sealed class AsyncHandlerInvocation(object evt, Action<object> handler) : IPendingHandlerInvocation
{
    public object Event { get; } = evt;

    public Action<object> Handler { get; } = handler;
}
