using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Jobs;

/// <summary>A job: the fold of its events, and what was heard from its attempt since. Immutable; knows no actor and no clock.</summary>
public sealed record JobState
{
    private const int WaitingLengthMax = 1_000;

    private JobState(JobId jobId) => JobId = jobId;

    public JobId JobId { get; }

    /// <summary>False before the first event.</summary>
    public bool Exists => Spec is not null;

    public JobSpec? Spec { get; init; }

    /// <summary>Meaningless unless <see cref="Exists"/>.</summary>
    public JobStateName Name { get; init; }

    public DateTimeOffset AcceptedAt { get; init; }

    /// <summary>When the job was accepted, or a person retried it: the total timeout counts from here.</summary>
    public DateTimeOffset BegunAt { get; init; }

    /// <summary>When the present wait for the device began.</summary>
    public DateTimeOffset QueuedAt { get; init; }

    /// <summary>The newest attempt; null before the first.</summary>
    public Placement? Placement { get; init; }

    public DateTimeOffset? PlacedAt { get; init; }

    /// <summary>Attempts begun since the job was accepted or a person retried it; compared with <see cref="RetryPolicy.Attempts"/>.</summary>
    public int AttemptsSinceRetry { get; init; }

    /// <summary>Of the newest attempt that ended.</summary>
    public AttemptResult? Result { get; init; }

    /// <summary>The attempt of <see cref="Result"/>; 0 without one.</summary>
    public int ResultAttempt { get; init; }

    public Problem? Reason { get; init; }

    public DateTimeOffset? NextAttemptAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public DateTimeOffset? CancelRequestedAt { get; init; }

    /// <summary>The jobs it waited for have ended as they must.</summary>
    public bool IsReleased { get; init; }

    /// <summary>Waits for other jobs.</summary>
    public bool IsHeld => Exists && Name == JobStateName.Queued && !IsReleased && !Spec!.After.IsEmpty;

    /// <summary>Not journalled: when something was last heard from the newest attempt, or when this actor began to wait for it.</summary>
    public DateTimeOffset? HeardAt { get; init; }

    /// <summary>Not journalled: in words, what the newest attempt waits for on its device; null where it is not known to wait.</summary>
    public string? WaitingThere { get; init; }

    /// <summary>Not journalled: its group has given it its turn.</summary>
    public bool HasTurn { get; init; }

    /// <summary>Does not begin before its group gives it its turn.</summary>
    public bool AwaitsTurn => Spec?.Needs.Group is not null && !HasTurn;

    /// <summary>Not journalled: what the newest attempt said of itself.</summary>
    public Progress? Progress { get; init; }

    /// <summary>What the next attempt begins from; null once the job is completed.</summary>
    public KeptCheckpoint? Checkpoint { get; init; }

    /// <summary>Whether its present end was told; null where nobody is told of it.</summary>
    public Delivery? Delivery { get; init; }

    public int Attempt => Placement?.Attempt ?? 0;

    public bool IsAtRest => Exists && Name.IsAtRest();

    public static JobState None(JobId jobId) => new(jobId);

    /// <summary>The device answered for the newest attempt.</summary>
    /// <param name="waiting">What it waits for there.</param>
    /// <param name="progress">Null where it did not say: what it said before stands.</param>
    public JobState Heard(DateTimeOffset at, string? waiting = null, Progress? progress = null)
    {
        Invariant.Check(Name.HasAttempt());
        return this with
        {
            Name = JobStateName.Running,
            HeardAt = at,
            WaitingThere = waiting is { Length: > WaitingLengthMax } ? waiting[..WaitingLengthMax] : waiting,
            Progress = progress ?? Progress,
        };
    }

    /// <summary>The device has come back, or its node was restarted: whether it still has the attempt is asked again, and its silence counts from now.</summary>
    public JobState Doubted(DateTimeOffset at) => this with { Name = JobStateName.Placing, HeardAt = at };

    /// <summary>
    /// After a restart of the home: silence is counted from now, not from before it; and what was written down while the clock was ahead is not waited for.
    /// </summary>
    public JobState Recovered(DateTimeOffset at)
    {
        if (!Exists)
        {
            return this;
        }

        DateTimeOffset latest = at + Spec!.Retry.BackoffMost;
        JobState sane = this with
        {
            BegunAt = Earlier(BegunAt, at),
            QueuedAt = Earlier(QueuedAt, latest),
            NextAttemptAt = NextAttemptAt is { } next ? Earlier(next, latest) : null,
            CancelRequestedAt = CancelRequestedAt is { } cancel ? Earlier(cancel, at) : null,
        };
        return Name.HasAttempt() ? sane with { Name = JobStateName.Placing, HeardAt = at } : sane;
    }

    /// <summary>The clock was set: what is waited for and counted moves with it, so that it takes as long as before.</summary>
    public JobState Shifted(TimeSpan jump) => this with
    {
        BegunAt = BegunAt + jump,
        QueuedAt = QueuedAt + jump,
        NextAttemptAt = NextAttemptAt + jump,
        CancelRequestedAt = CancelRequestedAt + jump,
        HeardAt = HeardAt + jump,
    };

    public JobState Apply(IJobEvent change)
    {
        Invariant.Check(Exists != (change is AcceptedEvent));
        return change switch
        {
            AcceptedEvent { Placement: { } placement } e => (this with { Spec = e.Spec, AcceptedAt = e.At, BegunAt = e.At, QueuedAt = e.At }).Place(placement, e.At),
            AcceptedEvent e => this with { Spec = e.Spec, AcceptedAt = e.At, BegunAt = e.At, QueuedAt = e.At, Name = JobStateName.Queued },
            PlacedEvent e => Place(e.Placement, e.At),
            ReleasedEvent e => this with { IsReleased = true, QueuedAt = e.At },
            CheckpointedEvent e => this with { Checkpoint = new KeptCheckpoint(e.Data, e.Attempt, e.At) },
            RetryingEvent e => this with
            {
                Name = JobStateName.Retrying,
                Result = e.Result with { Checkpoint = null },
                ResultAttempt = e.Attempt,
                Checkpoint = CheckpointAfter(e.Result, e.Attempt, e.At),
                Progress = null,
                NextAttemptAt = e.NextAttemptAt,
                QueuedAt = e.NextAttemptAt,
                AttemptsSinceRetry = AttemptsSinceRetry - (e.IsUncounted ? 1 : 0),
                HeardAt = null,
                WaitingThere = null,
            },
            PausedEvent e => Rest(JobStateName.Paused, e.At, e.Attempt, e.Result, e.Reason, e.IsDue ? Delivery.Begun(e.At, e.DueAs) : null),
            CompletedEvent e => Rest(JobStateName.Completed, e.At, e.Attempt, e.Result, null, e.IsDue ? Delivery.Begun(e.At, e.DueAs) : null),
            FailedEvent e => Rest(JobStateName.Failed, e.At, e.Attempt, e.Result, e.Reason, e.IsDue ? Delivery.Begun(e.At, e.DueAs) : null),
            CancelRequestedEvent e => this with { CancelRequestedAt = e.At },
            CancelledEvent e => Rest(JobStateName.Cancelled, e.At, e.Attempt, e.Result, e.Note, e.IsDue ? Delivery.Begun(e.At, e.DueAs) : null),
            ToldEvent e => this with { Delivery = e.Delivery },
            RetriedEvent e => this with
            {
                Name = JobStateName.Queued,
                BegunAt = e.At,
                QueuedAt = e.At,
                AttemptsSinceRetry = 0,
                Reason = null,
                EndedAt = null,
                CancelRequestedAt = null,
                NextAttemptAt = null,
                Checkpoint = e.FromStart ? null : Checkpoint,
                Delivery = null,
            },
            _ => throw new InvariantException($"unknown event {change.GetType().Name}"),
        };
    }

    public JobView ToView(string? waitingFor = null) => new(
        JobId, WaitingThere is not null && Name == JobStateName.Running ? JobStateName.Placing : Name, Spec!, Attempt, Placement?.Device, Result, Reason, AcceptedAt, PlacedAt, EndedAt, NextAttemptAt, CancelRequestedAt is not null, waitingFor)
    {
        Progress = Progress,
        Checkpoint = Checkpoint is { } kept ? new CheckpointView(kept.Data.Data.Length, kept.Attempt, kept.At) : null,
        Delivery = Delivery,
    };

    private JobState Place(Placement placement, DateTimeOffset at)
    {
        Invariant.Check(placement.Attempt == Attempt + 1);
        return this with
        {
            Name = JobStateName.Placing,
            Placement = placement,
            PlacedAt = at,
            HeardAt = at,
            WaitingThere = null,
            NextAttemptAt = null,
            Progress = null,
            AttemptsSinceRetry = AttemptsSinceRetry + 1,
        };
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private JobState Rest(JobStateName name, DateTimeOffset at, int attempt, AttemptResult? result, Problem? reason, Delivery? delivery) => this with
    {
        Name = name,
        EndedAt = at,
        Result = result is null ? Result : result with { Checkpoint = null },
        ResultAttempt = result is null ? ResultAttempt : attempt,
        Checkpoint = name == JobStateName.Completed ? null : CheckpointAfter(result, attempt, at),
        Reason = reason,
        NextAttemptAt = null,
        HeardAt = null,
        WaitingThere = null,
        HasTurn = false,
        Progress = null,
        Delivery = delivery,
    };

    private KeptCheckpoint? CheckpointAfter(AttemptResult? result, int attempt, DateTimeOffset at) =>
        result?.Checkpoint is { } left ? new KeptCheckpoint(left, attempt, at) : Checkpoint;
}
