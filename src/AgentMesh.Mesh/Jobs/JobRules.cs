using AgentMesh.Mesh.Artifacts;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs;

/// <summary>What a home decides about a job. Pure: the state, what happened, the time and chance in; the event to be journalled out.</summary>
public static class JobRules
{
    /// <summary>So long a home waits for a device to confirm that an attempt was cancelled.</summary>
    public static readonly TimeSpan CancelConfirmedWithin = TimeSpan.FromSeconds(10);

    /// <summary>Bounds of the wait that a device may ask for when it refuses an attempt for now.</summary>
    public static readonly TimeSpan ComeAgainMin = TimeSpan.FromMilliseconds(50);

    public static readonly TimeSpan ComeAgainMax = TimeSpan.FromHours(1);

    private const double ComeAgainJitter = 0.1;

    private static readonly TimeSpan HeartbeatEveryMax = TimeSpan.FromSeconds(5);

    /// <param name="life">Of the target's node; null while it is away.</param>
    public static AcceptedEvent Accept(JobSpec spec, long? life, DateTimeOffset now) =>
        new(now, spec, life is { } here && spec.After.IsEmpty && spec.Needs.Group is null ? new Placement(1, spec.Target.Device, here) : null);

    public static PlacedEvent Place(JobState job, long life, DateTimeOffset now) => new(now, new Placement(job.Attempt + 1, job.Spec!.Target.Device, life));

    /// <summary>The newest attempt has ended, or is given up for lost.</summary>
    /// <param name="random">In [0, 1), for the jitter of the wait.</param>
    public static IJobEvent AfterAttempt(JobState job, AttemptResult result, DateTimeOffset now, double random)
    {
        if (job.CancelRequestedAt is not null)
        {
            return new CancelledEvent(now, job.Attempt, result, null);
        }

        switch (result.Outcome)
        {
            case AttemptOutcome.Succeeded:
                return new CompletedEvent(now, job.Attempt, result);
            case AttemptOutcome.Refused when result.RetryAfter is { } after:
                return NotBegun(job, result, now + Clamped(after, random), now);
            case AttemptOutcome.Refused:
                return new FailedEvent(now, job.Attempt, result, result.Problem ?? Ended(result));
            case AttemptOutcome.Failed when !IsRetried(job.Spec!.Retry, result):
                return new FailedEvent(now, job.Attempt, result, result.Problem ?? Ended(result));
        }

        RetryPolicy retry = job.Spec!.Retry;
        if (job.AttemptsSinceRetry < retry.Attempts)
        {
            return new RetryingEvent(now, job.Attempt, result, now + retry.BackoffAfter(job.AttemptsSinceRetry, random));
        }

        Problem last = result.Problem ?? Ended(result);
        var usedUp = new Problem(
            MeshErrors.RetriesUsedUp, $"all {retry.Attempts} attempts were used up; the last one: {last.Text}", "look at 'agentmesh job logs', then 'agentmesh job retry' begins again");
        return retry.FailWhenUsedUp ? new FailedEvent(now, job.Attempt, result, usedUp) : new PausedEvent(now, job.Attempt, result, usedUp);
    }

    /// <summary>The device says that it does not have the newest attempt and will not run it.</summary>
    public static IJobEvent AfterUnknown(JobState job, DateTimeOffset now, double random)
    {
        if (job.CancelRequestedAt is not null)
        {
            return new CancelledEvent(now, job.Attempt, null, null);
        }

        var why = new Problem(MeshErrors.AttemptLost, $"{job.Spec!.Target.Name} knows nothing of attempt {job.Attempt}: its node was restarted", "nothing needs to be done: it is tried again");
        var lost = new AttemptResult(AttemptOutcome.Lost, Problem: why);
        return job.WaitingThere is null ? AfterAttempt(job, lost, now, random) : NotBegun(job, lost, now, now);
    }

    /// <summary>Nothing of the attempt ran, so it is not one of those that the policy allows.</summary>
    private static RetryingEvent NotBegun(JobState job, AttemptResult result, DateTimeOffset next, DateTimeOffset now) => new(now, job.Attempt, result, next) { IsUncounted = true };

    /// <summary>A device does not decide that a job waits for ever; and those that it sends away at the same time do not come back all at once.</summary>
    private static TimeSpan Clamped(TimeSpan after, double random)
    {
        TimeSpan bounded = after < ComeAgainMin ? ComeAgainMin : after > ComeAgainMax ? ComeAgainMax : after;
        return TimeSpan.FromMilliseconds(Math.Ceiling(bounded.TotalMilliseconds * (1 + (ComeAgainJitter * random))));
    }

    /// <summary>What is told to the device of a job that is <see cref="JobStateName.Placing"/>.</summary>
    public static RunAttempt Order(JobState job)
    {
        JobSpec spec = job.Spec!;
        TimeSpan third = spec.Timeouts.Heartbeat / 3;
        return new RunAttempt(job.JobId, job.Attempt, job.Placement!.Incarnation, spec.Command, spec.Caller, spec.Timeouts.Attempt, third < HeartbeatEveryMax ? third : HeartbeatEveryMax) { Artifacts = spec.Artifacts, Inputs = spec.Inputs, Needs = spec.Needs, Checkpoint = job.Checkpoint?.Data };
    }

    /// <summary>What a device sends is not believed to keep to the limit of a recorded text.</summary>
    public static AttemptResult Bounded(AttemptResult result)
    {
        int bytes = result.Text is { } text ? System.Text.Encoding.UTF8.GetByteCount(text) : 0;
        return bytes <= AttemptResult.TextBytesMax
            ? result
            : result with
            {
                Outcome = AttemptOutcome.Refused,
                Text = null,
                Problem = new Problem(MeshErrors.TooLarge, $"the device sent a result of {bytes} bytes; {AttemptResult.TextBytesMax} are the most", "use a program with 'run': its output has no such bound"),
            };
    }

    /// <summary>An attempt succeeded only when this home has every artifact that the job asked for, and no other is recorded.</summary>
    /// <param name="taken">Names of what the store of this home took, which computed the hash and counted the bytes itself.</param>
    public static AttemptResult WithArtifacts(JobState job, AttemptResult result, IReadOnlySet<string> taken)
    {
        ValueList<JobArtifact> asked = job.Spec!.Artifacts;
        if (result.Outcome != AttemptOutcome.Succeeded)
        {
            return result with { Artifacts = [] };
        }

        JobArtifact? missing = asked.FirstOrDefault(artifact => !result.Artifacts.Any(told => told.Name == artifact.Name && taken.Contains(told.Name)));
        return missing is null
            ? result with { Artifacts = [.. asked.Select(artifact => result.Artifacts.First(told => told.Name == artifact.Name))] }
            : result with
            {
                Outcome = AttemptOutcome.Failed,
                Artifacts = [],
                Problem = new Problem(
                    ArtifactErrors.NotDelivered, $"the program ended well, but {job.Spec.Target.Name} did not deliver the artifact {missing.Name}", "an older version there does not know artifacts: update it"),
            };
    }

    /// <summary>What time alone brings about; null for nothing.</summary>
    /// <param name="life">Of the target's node; null while it is away.</param>
    /// <param name="awayTimeout">How long an attempt is waited for while its device is away; no less than the heartbeat timeout.</param>
    public static IJobEvent? AfterTime(JobState job, long? life, DateTimeOffset now, double random, TimeSpan awayTimeout = default)
    {
        JobSpec spec = job.Spec!;
        if (!job.IsAtRest && job.CancelRequestedAt is null && spec.Timeouts.Total is { } total && now - job.BegunAt >= total)
        {
            return new FailedEvent(now, job.Attempt, null, TotalTimeout(total));
        }

        switch (job.Name)
        {
            case JobStateName.Queued when job.IsHeld:
                return null;
            case JobStateName.Queued or JobStateName.Retrying when (job.NextAttemptAt ?? now) <= now && life is { } here && !job.AwaitsTurn:
                return Place(job, here, now);
            case JobStateName.Queued or JobStateName.Retrying when spec.Timeouts.Queue is { } limit && now - job.QueuedAt >= limit:
                return new PausedEvent(now, job.Attempt, null, new Problem(
                    MeshErrors.QueueTimeout,
                    life is null ? $"{spec.Target.Name} was offline for {limit}" : $"its turn in the group {spec.Needs.Group} did not come within {limit}",
                    "'agentmesh job retry' waits again"));
            case JobStateName.Placing or JobStateName.Running when job.CancelRequestedAt is { } since && now - since >= CancelConfirmedWithin:
                return new CancelledEvent(now, job.Attempt, null, new Problem(
                    MeshErrors.CancelUnconfirmed, $"{spec.Target.Name} did not confirm the end of attempt {job.Attempt}", "the attempt ends there as soon as the device hears of it"));
            case JobStateName.Placing or JobStateName.Running when IsLost(job, life is null ? awayTimeout : TimeSpan.Zero, now) is { } why:
                return AfterAttempt(job, new AttemptResult(AttemptOutcome.Lost, Problem: why), now, random);
            default:
                return null;
        }
    }

    /// <summary>It would begin now if its device were there.</summary>
    public static bool WaitsForDevice(JobState job, DateTimeOffset now) =>
        job is { Name: JobStateName.Queued or JobStateName.Retrying, IsHeld: false, AwaitsTurn: false } && (job.NextAttemptAt ?? now) <= now;

    /// <summary>
    /// Whether what a device tells of the end of an attempt that is no longer out stands in the journal: then its output is wanted. An attempt that was
    /// given up was recorded without it.
    /// </summary>
    public static bool HasRecordedEnd(JobState job, int attempt) =>
        job.Exists && !job.Name.HasAttempt() && attempt == job.ResultAttempt && job.Result!.Outcome != AttemptOutcome.Lost;

    /// <summary>What follows from how the jobs stand that this one waits for; null while that is open.</summary>
    /// <param name="stateOf">Null for one that is not known yet.</param>
    /// <param name="isRemoved">It has ended, and nobody knows how.</param>
    public static IJobEvent? AfterDependencies(JobState job, Func<JobDependency, JobStateName?> stateOf, DateTimeOffset now, Func<JobDependency, bool>? isRemoved = null)
    {
        bool isOpen = false;
        foreach (JobDependency dependency in job.Spec!.After)
        {
            if (isRemoved?.Invoke(dependency) == true)
            {
                if (dependency.Condition == DependencyCondition.Any)
                {
                    continue;
                }

                return new CancelledEvent(now, job.Attempt, null, new Problem(
                    MeshErrors.DependencyRemoved,
                    $"it was to begin after {dependency}, which has ended and was removed since: nobody knows how it ended",
                    "submit it again without that condition, or run both again"));
            }

            JobStateName? state = stateOf(dependency);
            bool? isMet = state is { } known ? dependency.IsMet(known) : null;
            if (isMet == false)
            {
                return new CancelledEvent(now, job.Attempt, null, new Problem(
                    MeshErrors.DependencyNotMet,
                    $"it was to begin after {dependency}, which is {state!.Value.ToString().ToLowerInvariant()}",
                    $"'agentmesh job show {dependency.JobId.Short}' tells why; when that job is as it must be, 'agentmesh job retry {job.JobId.Short}' waits again"));
            }

            isOpen |= isMet is null;
        }

        return isOpen ? null : new ReleasedEvent(now);
    }

    /// <summary>The next moment at which time alone changes something; null for none. When the device comes or goes is not foreseen.</summary>
    public static DateTimeOffset? NextChange(JobState job, DateTimeOffset now)
    {
        JobTimeouts timeouts = job.Spec!.Timeouts;
        DateTimeOffset?[] moments = job.Name.HasAttempt()
            ? [job.CancelRequestedAt is { } cancel ? cancel + CancelConfirmedWithin : job.BegunAt + timeouts.Total, (job.HeardAt ?? job.PlacedAt) + timeouts.Heartbeat]
            : [job.BegunAt + timeouts.Total, job.QueuedAt + timeouts.Queue, job.NextAttemptAt];
        return moments.Where(moment => moment > now).Min();
    }

    private static Problem TotalTimeout(TimeSpan total) => new(MeshErrors.TotalTimeout, $"the job was not done within {total}", "'agentmesh job retry' begins again");

    private static bool IsRetried(RetryPolicy policy, AttemptResult result) =>
        policy.RetryExitCodes && (result.ExitCode is not { } code || !policy.FinalExitCodes.Contains(code));

    /// <summary>Silence alone: a node that was restarted may have taken the attempt over, and says itself when it has not.</summary>
    private static Problem? IsLost(JobState job, TimeSpan patience, DateTimeOffset now)
    {
        TimeSpan silence = now - (job.HeardAt ?? job.PlacedAt ?? now);
        TimeSpan heartbeat = job.Spec!.Timeouts.Heartbeat;
        return silence >= (patience > heartbeat ? patience : heartbeat)
            ? new Problem(MeshErrors.AttemptLost, $"nothing was heard from {job.Spec.Target.Name} for {(int)silence.TotalSeconds} s", "nothing needs to be done: it is tried again when the device is back")
            : null;
    }

    private static Problem Ended(AttemptResult result) => result.Outcome switch
    {
        AttemptOutcome.Failed => new Problem(MeshErrors.ExitCode, result.ExitCode is { } code ? $"the program ended with exit code {code}" : "the program was ended by a signal", "its output tells more: 'agentmesh job logs'"),
        AttemptOutcome.Cancelled => new Problem(MeshErrors.AttemptLost, "the device ended the attempt because its node was stopped", null),
        _ => new Problem(MeshErrors.AttemptLost, $"the attempt ended as {result.Outcome}", null),
    };
}
