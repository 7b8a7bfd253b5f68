using AgentMesh.Errors;

namespace AgentMesh.Journal.Events;

/// <summary>A write that waits for its transaction, whatever it is made of.</summary>
internal abstract class QueuedWrite
{
    /// <summary>The entity it concerns, for readers that must not overtake it.</summary>
    public required string Scope { get; init; }

    public long Bytes { get; init; }

    /// <summary>Timestamp of the time provider after which it has failed; set by the queue.</summary>
    public long Deadline { get; set; }

    /// <summary>Its caller has been told that it timed out; guarded by the queue's lock.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>What the caller waits for.</summary>
    public abstract Task Ended { get; }

    /// <summary>The commit is on disk.</summary>
    public abstract void Complete();

    /// <summary>Without effect on one that has ended.</summary>
    public abstract void Fail(MeshException error);
}
