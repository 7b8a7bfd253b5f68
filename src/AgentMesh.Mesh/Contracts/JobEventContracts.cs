using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Events and snapshot of a job as the journal keeps them.</summary>
internal static class JobEventContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<AcceptedEvent, Wire.AcceptedEvent>(
            JobManifests.Of,
            [JobManifests.AcceptedQueued, JobManifests.AcceptedPlaced, JobManifests.AcceptedQueuedToTell, JobManifests.AcceptedPlacedToTell],
            Wire.AcceptedEvent.Parser,
            m => new Wire.AcceptedEvent { At = ToWire(m.At), Spec = ToWire(m.Spec), Placement = ToWire(m.Placement) },
            w => new AcceptedEvent(ToTime(w.At), FromWire(w.Spec), FromWire(w.Placement))),
        Contract.Of(JobManifests.Released, Wire.ReleasedEvent.Parser, (ReleasedEvent m) => new Wire.ReleasedEvent { At = ToWire(m.At) }, w => new ReleasedEvent(ToTime(w.At))),
        Contract.Of(
            JobManifests.Placed,
            Wire.PlacedEvent.Parser,
            (PlacedEvent m) => new Wire.PlacedEvent { At = ToWire(m.At), Placement = ToWire(m.Placement) },
            w => new PlacedEvent(ToTime(w.At), Required(FromWire(w.Placement)))),
        Contract.Of(
            JobManifests.Checkpointed,
            Wire.CheckpointedEvent.Parser,
            (CheckpointedEvent m) => new Wire.CheckpointedEvent { At = ToWire(m.At), Attempt = m.Attempt, Data = ToWire(m.Data) },
            w => new CheckpointedEvent(ToTime(w.At), ToAttempt(w.Attempt), ToCheckpoint(w.Data))),
        Contract.Of(
            JobManifests.Retrying,
            Wire.RetryingEvent.Parser,
            (RetryingEvent m) => new Wire.RetryingEvent { At = ToWire(m.At), Attempt = m.Attempt, Result = ToWire(m.Result), NextAttemptAt = ToWire(m.NextAttemptAt), Uncounted = m.IsUncounted },
            w => new RetryingEvent(ToTime(w.At), w.Attempt, Required(FromWire(w.Result)), ToTime(w.NextAttemptAt)) { IsUncounted = w.Uncounted }),
        Contract.Of<PausedEvent, Wire.PausedEvent>(
            m => JobManifests.Ended(JobStateName.Paused, m.IsDue),
            [JobManifests.Paused, JobManifests.Due(JobStateName.Paused)],
            Wire.PausedEvent.Parser,
            m => new Wire.PausedEvent { At = ToWire(m.At), Attempt = m.Attempt, Result = ToWire(m.Result), Reason = ToWire(m.Reason), Due = m.IsDue, DueAs = m.DueAs },
            w => new PausedEvent(ToTime(w.At), w.Attempt, FromWire(w.Result), Required(FromWire(w.Reason))) { IsDue = w.Due, DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of<CompletedEvent, Wire.CompletedEvent>(
            m => JobManifests.Ended(JobStateName.Completed, m.IsDue),
            [JobManifests.Completed, JobManifests.Due(JobStateName.Completed)],
            Wire.CompletedEvent.Parser,
            m => new Wire.CompletedEvent { At = ToWire(m.At), Attempt = m.Attempt, Result = ToWire(m.Result), Due = m.IsDue, DueAs = m.DueAs },
            w => new CompletedEvent(ToTime(w.At), w.Attempt, Required(FromWire(w.Result))) { IsDue = w.Due, DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of<FailedEvent, Wire.FailedEvent>(
            m => JobManifests.Ended(JobStateName.Failed, m.IsDue),
            [JobManifests.Failed, JobManifests.Due(JobStateName.Failed)],
            Wire.FailedEvent.Parser,
            m => new Wire.FailedEvent { At = ToWire(m.At), Attempt = m.Attempt, Result = ToWire(m.Result), Reason = ToWire(m.Reason), Due = m.IsDue, DueAs = m.DueAs },
            w => new FailedEvent(ToTime(w.At), w.Attempt, FromWire(w.Result), Required(FromWire(w.Reason))) { IsDue = w.Due, DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of(
            JobManifests.CancelRequested,
            Wire.CancelRequestedEvent.Parser,
            (CancelRequestedEvent m) => new Wire.CancelRequestedEvent { At = ToWire(m.At), By = ToWire(m.By) },
            w => new CancelRequestedEvent(ToTime(w.At), FromWire(w.By))),
        Contract.Of<CancelledEvent, Wire.CancelledEvent>(
            m => JobManifests.Ended(JobStateName.Cancelled, m.IsDue),
            [JobManifests.Cancelled, JobManifests.Due(JobStateName.Cancelled)],
            Wire.CancelledEvent.Parser,
            m => new Wire.CancelledEvent { At = ToWire(m.At), Attempt = m.Attempt, Result = ToWire(m.Result), Note = ToWire(m.Note), Due = m.IsDue, DueAs = m.DueAs },
            w => new CancelledEvent(ToTime(w.At), w.Attempt, FromWire(w.Result), FromWire(w.Note)) { IsDue = w.Due, DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of(
            JobManifests.Retried,
            Wire.RetriedEvent.Parser,
            (RetriedEvent m) => new Wire.RetriedEvent { At = ToWire(m.At), By = ToWire(m.By), FromStart = m.FromStart },
            w => new RetriedEvent(ToTime(w.At), FromWire(w.By), w.FromStart)),
        Contract.Of<ToldEvent, Wire.ToldEvent>(
            m => JobManifests.Told(m.State, m.Delivery.IsDue),
            [.. JobManifests.Ends.SelectMany(state => (string[])[JobManifests.Told(state, isDue: true), JobManifests.Told(state, isDue: false)])],
            Wire.ToldEvent.Parser,
            m => new Wire.ToldEvent { At = ToWire(m.At), State = (int)m.State, Delivery = DeliveryParts.ToWire(m.Delivery) },
            w => new ToldEvent(ToTime(w.At), ToEnum<JobStateName>(w.State), Required(DeliveryParts.FromWire(w.Delivery)))),
        Contract.Of<JobSnapshot, Wire.JobSnapshot>(
            m => m.Spec.Notify is null ? JobManifests.Snapshot : JobManifests.SnapshotToTell, [JobManifests.Snapshot, JobManifests.SnapshotToTell], Wire.JobSnapshot.Parser, WriteSnapshot, ReadSnapshot),
    ];

    private static Wire.JobSnapshot WriteSnapshot(JobSnapshot m)
    {
        var wire = new Wire.JobSnapshot
        {
            State = (int)m.Name,
            Spec = ToWire(m.Spec),
            AcceptedAt = ToWire(m.AcceptedAt),
            BegunAt = ToWire(m.BegunAt),
            QueuedAt = ToWire(m.QueuedAt),
            Placement = ToWire(m.Placement),
            AttemptsSinceRetry = m.AttemptsSinceRetry,
            Result = ToWire(m.Result),
            ResultAttempt = m.ResultAttempt,
            Reason = ToWire(m.Reason),
            Released = m.IsReleased,
            Checkpoint = ToWire(m.Checkpoint),
            Delivery = DeliveryParts.ToWire(m.Delivery),
        };
        if (m.PlacedAt is { } placed)
        {
            wire.PlacedAt = ToWire(placed);
        }

        if (m.NextAttemptAt is { } next)
        {
            wire.NextAttemptAt = ToWire(next);
        }

        if (m.EndedAt is { } ended)
        {
            wire.EndedAt = ToWire(ended);
        }

        if (m.CancelRequestedAt is { } cancel)
        {
            wire.CancelRequestedAt = ToWire(cancel);
        }

        return wire;
    }

    private static JobSnapshot ReadSnapshot(Wire.JobSnapshot w) => new(
        ToEnum<JobStateName>(w.State),
        FromWire(w.Spec),
        ToTime(w.AcceptedAt),
        ToTime(w.BegunAt),
        ToTime(w.QueuedAt),
        FromWire(w.Placement),
        w.HasPlacedAt ? ToTime(w.PlacedAt) : null,
        w.AttemptsSinceRetry,
        FromWire(w.Result),
        w.ResultAttempt,
        FromWire(w.Reason),
        w.HasNextAttemptAt ? ToTime(w.NextAttemptAt) : null,
        w.HasEndedAt ? ToTime(w.EndedAt) : null,
        w.HasCancelRequestedAt ? ToTime(w.CancelRequestedAt) : null)
    {
        IsReleased = w.Released,
        Checkpoint = FromWire(w.Checkpoint),
        Delivery = DeliveryParts.FromWire(w.Delivery),
    };
}
