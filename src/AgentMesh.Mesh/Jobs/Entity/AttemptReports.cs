using AgentMesh.Protocol.Identity;
using Akka.Actor;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>
/// What the device tells that has the attempt of a job, and what follows from it. Only the executing device is believed about the present attempt; an older one is ended, whoever runs it, and what it
/// tells changes nothing. Decides only: the entity records, tells and asks.
/// </summary>
internal sealed class AttemptReports(JobEnvironment environment)
{
    private static readonly Task<IReadOnlySet<string>> NoArtifacts = Task.FromResult<IReadOnlySet<string>>(new HashSet<string>());

    private bool _asksForArtifacts;

    /// <param name="from">The device that says it.</param>
    /// <returns>Null for what is no report of an attempt.</returns>
    public ReportStep? Take(object message, JobState job, DeviceId from, DateTimeOffset now) => message switch
    {
        AttemptStarted started => Heard(job, started.Attempt, from, now, started.Waiting),
        AttemptHeartbeat heartbeat => Heard(job, heartbeat.Attempt, from, now, heartbeat.Waiting, heartbeat.Progress),
        AttemptCheckpoint left => Left(job, left, from, now),
        AttemptEnded ended => Ended(job, ended, from, now),
        ArtifactsKnown known => Known(job, known, now),
        AttemptUnknown unknown => IsBelieved(job, unknown.Attempt, from) ? new ReportStep { Change = JobRules.AfterUnknown(job, now, environment.Random()) } : default(ReportStep),
        _ => null,
    };

    private static ReportStep Heard(JobState job, int attempt, DeviceId from, DateTimeOffset now, string? waiting, Progress? progress = null)
    {
        if (!IsOut(job, attempt))
        {
            // Nobody wants it any more, whoever runs it.
            return new ReportStep { Reply = new CancelAttempt(job.JobId, attempt) };
        }

        return IsBelieved(job, attempt, from)
            ? new ReportStep { Heard = job.Heard(now, waiting, progress), Reply = job.CancelRequestedAt is null ? null : new CancelAttempt(job.JobId, attempt) }
            : default;
    }

    private static ReportStep Left(JobState job, AttemptCheckpoint left, DeviceId from, DateTimeOffset now)
    {
        ReportStep heard = Heard(job, left.Attempt, from, now, waiting: null);
        return !IsBelieved(job, left.Attempt, from)
            ? heard
            : heard with
            {
                Change = job.Checkpoint?.Data == left.Data ? null : new CheckpointedEvent(now, left.Attempt, left.Data),
                Receipt = new CheckpointKept(job.JobId, left.Attempt, left.Number),
            };
    }

    /// <summary>A result waits for what the store says of its artifacts.</summary>
    private ReportStep Ended(JobState job, AttemptEnded ended, DeviceId from, DateTimeOffset now)
    {
        if (!IsOut(job, ended.Attempt))
        {
            return new ReportStep { Reply = new AttemptEndedAck(job.JobId, ended.Attempt, JobRules.HasRecordedEnd(job, ended.Attempt)) };
        }

        if (!IsBelieved(job, ended.Attempt, from))
        {
            return default;
        }

        AttemptResult told = JobRules.Bounded(ended.Result);
        Task<IReadOnlySet<string>> taken = job.Spec!.Artifacts.IsEmpty ? NoArtifacts : environment.ArtifactsTaken(job.JobId, ended.Attempt, told.Artifacts);
        if (taken.IsCompletedSuccessfully)
        {
            return End(job, ended.Attempt, told, taken.Result, now);
        }

        if (_asksForArtifacts)
        {
            return default;
        }

        _asksForArtifacts = true;
        return new ReportStep { Asked = new ArtifactsAsked(ended.Attempt, told, taken) };
    }

    /// <summary>Where the store could not say it, the end is told again, and it is asked again.</summary>
    private ReportStep Known(JobState job, ArtifactsKnown known, DateTimeOffset now)
    {
        _asksForArtifacts = false;
        return known.Taken is not null && IsOut(job, known.Attempt) ? End(job, known.Attempt, known.Result, known.Taken, now) : default;
    }

    private ReportStep End(JobState job, int attempt, AttemptResult told, IReadOnlySet<string> taken, DateTimeOffset now) => new()
    {
        Change = JobRules.AfterAttempt(job, JobRules.WithArtifacts(job, told, taken), now, environment.Random()),
        Receipt = new AttemptEndedAck(job.JobId, attempt, Recorded: true),
    };

    private static bool IsOut(JobState job, int attempt) => job.Exists && job.Name.HasAttempt() && attempt == job.Attempt;

    private static bool IsBelieved(JobState job, int attempt, DeviceId from) => IsOut(job, attempt) && from == job.Spec!.Target.Device;
}

/// <summary>What follows from one report; <c>default</c> for nothing.</summary>
internal readonly record struct ReportStep
{
    /// <summary>The job with what was heard of its attempt, which is not journalled; null where nothing was.</summary>
    public JobState? Heard { get; init; }

    /// <summary>To be told to whoever reported, at once.</summary>
    public object? Reply { get; init; }

    /// <summary>To be recorded.</summary>
    public IJobEvent? Change { get; init; }

    /// <summary>To be told when <see cref="Change"/> is stored; at once where there is none.</summary>
    public object? Receipt { get; init; }

    /// <summary>Its answer is to come back as <see cref="ArtifactsKnown"/>.</summary>
    public ArtifactsAsked? Asked { get; init; }
}

/// <summary>The store is asked for the artifacts of an attempt that has ended.</summary>
internal sealed record ArtifactsAsked(int Attempt, AttemptResult Result, Task<IReadOnlySet<string>> Taken)
{
    /// <param name="taken">Null where the store could not be asked.</param>
    public ArtifactsKnown Answered(IReadOnlySet<string>? taken) => new(Attempt, Result, taken);
}

/// <param name="Taken">Null where the store could not be asked.</param>
internal sealed record ArtifactsKnown(int Attempt, AttemptResult Result, IReadOnlySet<string>? Taken) : INoSerializationVerificationNeeded;
