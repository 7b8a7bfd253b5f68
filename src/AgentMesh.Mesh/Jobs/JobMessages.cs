using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs;

/// <summary>A message to the entity of a job, or from it.</summary>
public interface IJobMessage
{
    JobId JobId { get; }
}

/// <summary>
/// Answered with <see cref="JobAccepted"/> when it is on disk, or <see cref="JobProblem"/>. Accepted by the entity only from its own device. A repeat of the
/// same id with the same spec is answered like the first.
/// </summary>
public sealed record SubmitJob(JobId JobId, JobSpec Spec) : IJobMessage;

/// <param name="Repeated">The job was there already.</param>
public sealed record JobAccepted(JobId JobId, bool Repeated) : IJobMessage;

/// <summary>Answered with <see cref="JobView"/> or <see cref="JobProblem"/>.</summary>
public sealed record GetJob(JobId JobId) : IJobMessage;

/// <summary>Answered with the <see cref="JobView"/> when the job has come to rest (<see cref="JobStates.IsAtRest"/>) or when <paramref name="Deadline"/> passes.</summary>
public sealed record AwaitJob(JobId JobId, DateTimeOffset Deadline) : IJobMessage
{
    /// <summary>Answered also when this attempt is out no longer; null for no such wish.</summary>
    public int? AttemptOver { get; init; }

    /// <summary>Answered also when an attempt after this one is out; null for no such wish.</summary>
    public int? AttemptAfter { get; init; }

    public bool IsAnsweredBy(JobState job) =>
        job.IsAtRest
        || (AttemptOver is { } over && (job.Attempt != over || !job.Name.HasAttempt()))
        || (AttemptAfter is { } after && job.Attempt > after && job.Name.HasAttempt());
}

/// <summary>Answered with the <see cref="JobView"/> after the wish is on disk; the attempt may take a moment to end.</summary>
public sealed record CancelJob(JobId JobId, Caller By) : IJobMessage;

/// <summary>Begins a paused, failed or cancelled job again with all its attempts. Answered with <see cref="JobView"/> or <see cref="JobProblem"/>.</summary>
/// <param name="FromStart">Without the checkpoint that an earlier attempt left.</param>
public sealed record RetryJob(JobId JobId, Caller By, bool FromStart = false) : IJobMessage;

/// <summary>Brings an unfinished job back to life after a restart. Answered with <see cref="JobView"/>, or <see cref="JobProblem"/> when there is no such job.</summary>
public sealed record WakeJob(JobId JobId) : IJobMessage;

public sealed record JobProblem(JobId JobId, Problem Problem) : IJobMessage, IRefusal;

/// <summary>What is known of a job now.</summary>
/// <param name="Attempt">The newest attempt, 0 before the first.</param>
/// <param name="Device">Where the newest attempt runs or ran.</param>
/// <param name="Result">Of the newest attempt that ended.</param>
/// <param name="Problem">Why the job is paused, failed or cancelled.</param>
/// <param name="WaitingFor">In words, for a job that waits.</param>
public sealed record JobView(
    JobId JobId,
    JobStateName State,
    JobSpec Spec,
    int Attempt,
    DeviceId? Device,
    AttemptResult? Result,
    Problem? Problem,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? PlacedAt,
    DateTimeOffset? EndedAt,
    DateTimeOffset? NextAttemptAt,
    bool CancelRequested,
    string? WaitingFor) : IJobMessage
{
    /// <summary>Of the newest attempt, while it runs.</summary>
    public Progress? Progress { get; init; }

    /// <summary>Null without a checkpoint.</summary>
    public CheckpointView? Checkpoint { get; init; }

    /// <summary>Whether its end was told; null where nobody is told of it.</summary>
    public Delivery? Delivery { get; init; }
}

/// <param name="Bytes">The content itself is for the next attempt only.</param>
/// <param name="Attempt">Which attempt left it.</param>
public sealed record CheckpointView(int Bytes, int Attempt, DateTimeOffset At);
