using System.Collections.Immutable;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>A message to the entity of a schedule, or from it. The entity listens to its own device only.</summary>
public interface ICronMessage
{
    CronId CronId { get; }
}

/// <summary>Answered with <see cref="CronView"/> when it is on disk, or <see cref="CronProblem"/>. A repeat with the same spec is answered like the first.</summary>
/// <param name="Replace">Changes a schedule of that name; without it one that differs is refused.</param>
public sealed record CreateCron(CronId CronId, CronSpec Spec, bool Replace) : ICronMessage;

/// <summary>Answered with <see cref="CronView"/> or <see cref="CronProblem"/>.</summary>
public sealed record GetCron(CronId CronId) : ICronMessage;

/// <summary>Brings a schedule back to life after a restart. Answered like <see cref="GetCron"/>.</summary>
public sealed record WakeCron(CronId CronId) : ICronMessage;

/// <summary>Times that pass while it is disabled are never made up for. Answered with <see cref="CronView"/> or <see cref="CronProblem"/>.</summary>
public sealed record EnableCron(CronId CronId, bool Enabled) : ICronMessage;

/// <summary>Submits its job now, whatever the schedule and its overlap policy say. Answered with <see cref="CronStarted"/> when the job is on disk.</summary>
/// <param name="Key">A repeat with the same key is the same run.</param>
public sealed record RunCron(CronId CronId, string Key) : ICronMessage;

public sealed record CronStarted(CronId CronId, JobId JobId) : ICronMessage;

/// <summary>Fires times of the past, each once, as the overlap policy lets them. Answered with <see cref="CronBackfillView"/> or <see cref="CronProblem"/>.</summary>
/// <param name="From">The first moment, and <paramref name="To"/> the last.</param>
/// <param name="IsDryRun">Nothing is fired.</param>
public sealed record BackfillCron(CronId CronId, DateTimeOffset From, DateTimeOffset To, bool IsDryRun) : ICronMessage;

/// <param name="Times">What is, or would be, fired; at most <see cref="CronBackfill.Max"/>.</param>
public sealed record CronBackfillView(CronId CronId, ImmutableArray<DateTimeOffset> Times, bool IsDryRun) : ICronMessage
{
    public bool Equals(CronBackfillView? other) => other is not null && CronId == other.CronId && IsDryRun == other.IsDryRun && Times.AsSpan().SequenceEqual(other.Times.AsSpan());

    public override int GetHashCode() => HashCode.Combine(CronId, IsDryRun, Times.Length);
}

/// <summary>Its jobs go on. Answered with <see cref="CronRemoved"/> or <see cref="CronProblem"/>.</summary>
public sealed record RemoveCron(CronId CronId) : ICronMessage;

public sealed record CronRemoved(CronId CronId) : ICronMessage;

public sealed record CronProblem(CronId CronId, Problem Problem) : ICronMessage, IRefusal;

/// <summary>One fire and what became of its job.</summary>
/// <param name="Nominal">When it was due.</param>
/// <param name="Ended">The state in which the job came to rest; null before.</param>
public sealed record CronRun(JobId JobId, DateTimeOffset Nominal, CronCause Cause, DateTimeOffset FiredAt, JobStateName? Ended, DateTimeOffset? EndedAt)
{
    /// <summary>Null for the device of the schedule.</summary>
    public JobTarget? Target { get; init; }

    /// <summary>Null where nobody is told of it.</summary>
    public Delivery? Delivery { get; init; }

    public bool IsOver => Ended is not null;
}

/// <summary>What is known of a schedule now.</summary>
/// <param name="Reason">Why it was disabled, when no person did it.</param>
/// <param name="Failures">One after the other, the newest runs that did not complete.</param>
/// <param name="Runs">The newest first: those that are not over, and the last <see cref="CronState.RunsKept"/>.</param>
/// <param name="Next">The next five times, none while it is disabled.</param>
/// <param name="Waiting">A time that was due and waits for the end of a run.</param>
public sealed record CronView(
    CronId CronId,
    CronSpec Spec,
    bool IsEnabled,
    Problem? Reason,
    DateTimeOffset CreatedAt,
    long Fired,
    long Missed,
    int Failures,
    ImmutableArray<CronRun> Runs,
    ImmutableArray<DateTimeOffset> Next,
    DateTimeOffset? Waiting) : ICronMessage
{
    /// <summary>Times of the past that a person asked for and that are not fired yet.</summary>
    public int BackfillLeft { get; init; }

    /// <summary>The newest attempt to tell a run; null before the first.</summary>
    public CronLastDelivery? LastDelivery { get; init; }

    public bool Equals(CronView? other) =>
        other is not null && CronId == other.CronId && Spec == other.Spec && IsEnabled == other.IsEnabled && Reason == other.Reason && CreatedAt == other.CreatedAt && Fired == other.Fired
        && Missed == other.Missed && Failures == other.Failures && Waiting == other.Waiting && BackfillLeft == other.BackfillLeft && LastDelivery == other.LastDelivery && Runs.AsSpan().SequenceEqual(other.Runs.AsSpan()) && Next.AsSpan().SequenceEqual(other.Next.AsSpan());

    public override int GetHashCode() => HashCode.Combine(CronId, IsEnabled, Fired, Missed, Runs.Length);
}
