using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Jobs;

/// <summary>What the journal of a job holds. At the time of the home's clock.</summary>
public interface IJobEvent
{
    DateTimeOffset At { get; }
}

/// <param name="Placement">The first attempt, when the device was there: it needs no event of its own.</param>
public sealed record AcceptedEvent(DateTimeOffset At, JobSpec Spec, Placement? Placement) : IJobEvent;

/// <summary>Written before the attempt is sent.</summary>
public sealed record PlacedEvent(DateTimeOffset At, Placement Placement) : IJobEvent;

/// <summary>What the job waited for has ended as it must: it waits for its device only.</summary>
public sealed record ReleasedEvent(DateTimeOffset At) : IJobEvent;

/// <summary>The attempt goes on; a later one begins from here.</summary>
public sealed record CheckpointedEvent(DateTimeOffset At, int Attempt, Checkpoint Data) : IJobEvent;

public sealed record RetryingEvent(DateTimeOffset At, int Attempt, AttemptResult Result, DateTimeOffset NextAttemptAt) : IJobEvent
{
    /// <summary>Nothing of the attempt ran: it is not one of those that the retry policy allows.</summary>
    public bool IsUncounted { get; init; }
}

public sealed record PausedEvent(DateTimeOffset At, int Attempt, AttemptResult? Result, Problem Reason) : IJobEvent
{
    /// <summary>It is to be told to the URL of the job.</summary>
    public bool IsDue { get; init; }

    /// <summary>Its number in the journal, where it is to be told; 0 otherwise, and in journals of before.</summary>
    public long DueAs { get; init; }
}

public sealed record CompletedEvent(DateTimeOffset At, int Attempt, AttemptResult Result) : IJobEvent
{
    /// <summary>It is to be told to the URL of the job.</summary>
    public bool IsDue { get; init; }

    /// <inheritdoc cref="PausedEvent.DueAs"/>
    public long DueAs { get; init; }
}

public sealed record FailedEvent(DateTimeOffset At, int Attempt, AttemptResult? Result, Problem Reason) : IJobEvent
{
    /// <summary>It is to be told to the URL of the job.</summary>
    public bool IsDue { get; init; }

    /// <inheritdoc cref="PausedEvent.DueAs"/>
    public long DueAs { get; init; }
}

/// <summary>From here on the job can only become Cancelled.</summary>
public sealed record CancelRequestedEvent(DateTimeOffset At, Caller By) : IJobEvent;

/// <param name="Note">Set when the executing device did not confirm the end.</param>
public sealed record CancelledEvent(DateTimeOffset At, int Attempt, AttemptResult? Result, Problem? Note) : IJobEvent
{
    /// <summary>It is to be told to the URL of the job.</summary>
    public bool IsDue { get; init; }

    /// <inheritdoc cref="PausedEvent.DueAs"/>
    public long DueAs { get; init; }
}

/// <param name="FromStart">The checkpoint is dropped.</param>
public sealed record RetriedEvent(DateTimeOffset At, Caller By, bool FromStart = false) : IJobEvent;

/// <summary>An attempt to tell the end of the job to its URL has ended.</summary>
/// <param name="State">Of the job, which stays as it is: the index of the journal shows it.</param>
public sealed record ToldEvent(DateTimeOffset At, JobStateName State, Delivery Delivery) : IJobEvent;
