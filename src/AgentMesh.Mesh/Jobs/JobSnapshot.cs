using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Jobs;

/// <summary>A <see cref="JobState"/> as the snapshot store keeps it.</summary>
public sealed record JobSnapshot(
    JobStateName Name,
    JobSpec Spec,
    DateTimeOffset AcceptedAt,
    DateTimeOffset BegunAt,
    DateTimeOffset QueuedAt,
    Placement? Placement,
    DateTimeOffset? PlacedAt,
    int AttemptsSinceRetry,
    AttemptResult? Result,
    int ResultAttempt,
    Problem? Reason,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset? EndedAt,
    DateTimeOffset? CancelRequestedAt)
{
    public bool IsReleased { get; init; }

    public KeptCheckpoint? Checkpoint { get; init; }

    public Delivery? Delivery { get; init; }

    public static JobSnapshot Of(JobState s) => new(
        // That an attempt was heard of is not part of the record: after a recovery the device is asked again.
        s.Name == JobStateName.Running ? JobStateName.Placing : s.Name,
        s.Spec!,
        s.AcceptedAt,
        s.BegunAt,
        s.QueuedAt,
        s.Placement,
        s.PlacedAt,
        s.AttemptsSinceRetry,
        s.Result,
        s.ResultAttempt,
        s.Reason,
        s.NextAttemptAt,
        s.EndedAt,
        s.CancelRequestedAt)
    {
        IsReleased = s.IsReleased,
        Checkpoint = s.Checkpoint,
        Delivery = s.Delivery,
    };

    public JobState ToState(JobId id) => JobState.None(id) with
    {
        Name = Name,
        Spec = Spec,
        AcceptedAt = AcceptedAt,
        BegunAt = BegunAt,
        QueuedAt = QueuedAt,
        Placement = Placement,
        PlacedAt = PlacedAt,
        AttemptsSinceRetry = AttemptsSinceRetry,
        Result = Result,
        ResultAttempt = ResultAttempt,
        Reason = Reason,
        NextAttemptAt = NextAttemptAt,
        EndedAt = EndedAt,
        CancelRequestedAt = CancelRequestedAt,
        IsReleased = IsReleased,
        Checkpoint = Checkpoint,
        Delivery = Delivery,
    };
}
