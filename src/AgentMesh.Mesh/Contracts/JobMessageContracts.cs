using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Messages about jobs between a node, the entity and the workers.</summary>
internal static class JobMessageContracts
{
    private const string Submit = "job.submit.1";

    /// <summary>A member of a pool that cannot tell the end of a job does not know this name, and does not accept the job.</summary>
    private const string SubmitToTell = "job.submit-to-tell.1";

    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<SubmitJob, Wire.SubmitJob>(
            m => m.Spec.Notify is null ? Submit : SubmitToTell,
            [Submit, SubmitToTell],
            Wire.SubmitJob.Parser,
            m => new Wire.SubmitJob { Job = m.JobId.ToString(), Spec = ToWire(m.Spec) },
            w => new SubmitJob(ToJobId(w.Job), FromWire(w.Spec))),
        Contract.Of(
            "job.accepted.1",
            Wire.JobAccepted.Parser,
            (JobAccepted m) => new Wire.JobAccepted { Job = m.JobId.ToString(), Repeated = m.Repeated },
            w => new JobAccepted(ToJobId(w.Job), w.Repeated)),
        Contract.Of("job.get.1", Wire.GetJob.Parser, (GetJob m) => new Wire.GetJob { Job = m.JobId.ToString() }, w => new GetJob(ToJobId(w.Job))),
        Contract.Of(
            "job.await.1",
            Wire.AwaitJob.Parser,
            WriteAwait,
            w => new AwaitJob(ToJobId(w.Job), ToTime(w.Deadline)) { AttemptOver = w.HasAttemptOver ? w.AttemptOver : null, AttemptAfter = w.HasAttemptAfter ? w.AttemptAfter : null }),
        Contract.Of(
            "job.cancel.1",
            Wire.CancelJob.Parser,
            (CancelJob m) => new Wire.CancelJob { Job = m.JobId.ToString(), By = ToWire(m.By) },
            w => new CancelJob(ToJobId(w.Job), FromWire(w.By))),
        Contract.Of(
            "job.retry.1",
            Wire.RetryJob.Parser,
            (RetryJob m) => new Wire.RetryJob { Job = m.JobId.ToString(), By = ToWire(m.By), FromStart = m.FromStart },
            w => new RetryJob(ToJobId(w.Job), FromWire(w.By), w.FromStart)),
        Contract.Of("job.wake.1", Wire.WakeJob.Parser, (WakeJob m) => new Wire.WakeJob { Job = m.JobId.ToString() }, w => new WakeJob(ToJobId(w.Job))),
        Contract.Of(
            "job.problem.1",
            Wire.JobProblem.Parser,
            (JobProblem m) => new Wire.JobProblem { Job = m.JobId.ToString(), Problem = ToWire(m.Problem) },
            w => new JobProblem(ToJobId(w.Job), Required(FromWire(w.Problem)))),
        Contract.Of<JobView, Wire.JobView>("job.view.1", Wire.JobView.Parser, WriteView, ReadView),
        Contract.Of<RunAttempt, Wire.RunAttempt>("attempt.run.1", Wire.RunAttempt.Parser, WriteRun, ReadRun),
        Contract.Of(
            "attempt.started.1",
            Wire.AttemptStarted.Parser,
            (AttemptStarted m) => m.Waiting is { } waiting
                ? new Wire.AttemptStarted { Job = m.JobId.ToString(), Attempt = m.Attempt, Incarnation = m.Incarnation, Waiting = waiting }
                : new Wire.AttemptStarted { Job = m.JobId.ToString(), Attempt = m.Attempt, Incarnation = m.Incarnation },
            w => new AttemptStarted(ToJobId(w.Job), ToAttempt(w.Attempt), w.Incarnation) { Waiting = w.HasWaiting ? w.Waiting : null }),
        Contract.Of<AttemptHeartbeat, Wire.AttemptHeartbeat>("attempt.heartbeat.1", Wire.AttemptHeartbeat.Parser, WriteHeartbeat, ReadHeartbeat),
        Contract.Of(
            "attempt.checkpoint.1",
            Wire.AttemptCheckpoint.Parser,
            (AttemptCheckpoint m) => new Wire.AttemptCheckpoint { Job = m.JobId.ToString(), Attempt = m.Attempt, Number = m.Number, Data = ToWire(m.Data) },
            w => new AttemptCheckpoint(ToJobId(w.Job), ToAttempt(w.Attempt), w.Number, ToCheckpoint(w.Data))),
        Contract.Of(
            "attempt.checkpoint-kept.1",
            Wire.CheckpointKept.Parser,
            (CheckpointKept m) => new Wire.CheckpointKept { Job = m.JobId.ToString(), Attempt = m.Attempt, Number = m.Number },
            w => new CheckpointKept(ToJobId(w.Job), ToAttempt(w.Attempt), w.Number)),
        Contract.Of(
            "attempt.ended.1",
            Wire.AttemptEnded.Parser,
            (AttemptEnded m) => new Wire.AttemptEnded { Job = m.JobId.ToString(), Attempt = m.Attempt, Result = ToWire(m.Result) },
            w => new AttemptEnded(ToJobId(w.Job), ToAttempt(w.Attempt), Required(FromWire(w.Result)))),
        Contract.Of(
            "attempt.ended-ack.1",
            Wire.AttemptEndedAck.Parser,
            (AttemptEndedAck m) => new Wire.AttemptEndedAck { Job = m.JobId.ToString(), Attempt = m.Attempt, Recorded = m.Recorded },
            w => new AttemptEndedAck(ToJobId(w.Job), ToAttempt(w.Attempt), w.Recorded)),
        Contract.Of(
            "attempt.cancel.1",
            Wire.CancelAttempt.Parser,
            (CancelAttempt m) => new Wire.CancelAttempt { Job = m.JobId.ToString(), Attempt = m.Attempt },
            w => new CancelAttempt(ToJobId(w.Job), ToAttempt(w.Attempt))),
        Contract.Of(
            "attempt.unknown.1",
            Wire.AttemptUnknown.Parser,
            (AttemptUnknown m) => new Wire.AttemptUnknown { Job = m.JobId.ToString(), Attempt = m.Attempt, Incarnation = m.Incarnation },
            w => new AttemptUnknown(ToJobId(w.Job), ToAttempt(w.Attempt), w.Incarnation)),
    ];

    private static Wire.AttemptHeartbeat WriteHeartbeat(AttemptHeartbeat m)
    {
        var wire = new Wire.AttemptHeartbeat { Job = m.JobId.ToString(), Attempt = m.Attempt, StdoutBytes = m.StdoutBytes, StderrBytes = m.StderrBytes, Progress = ToWire(m.Progress) };
        if (m.Waiting is { } waiting)
        {
            wire.Waiting = waiting;
        }

        return wire;
    }

    private static AttemptHeartbeat ReadHeartbeat(Wire.AttemptHeartbeat w) =>
        new(ToJobId(w.Job), ToAttempt(w.Attempt), w.StdoutBytes, w.StderrBytes) { Waiting = w.HasWaiting ? w.Waiting : null, Progress = FromWire(w.Progress) };

    private static Wire.AwaitJob WriteAwait(AwaitJob m)
    {
        var wire = new Wire.AwaitJob { Job = m.JobId.ToString(), Deadline = ToWire(m.Deadline) };
        if (m.AttemptOver is { } over)
        {
            wire.AttemptOver = over;
        }

        if (m.AttemptAfter is { } after)
        {
            wire.AttemptAfter = after;
        }

        return wire;
    }

    private static Wire.RunAttempt WriteRun(RunAttempt m)
    {
        var wire = new Wire.RunAttempt
        {
            Job = m.JobId.ToString(),
            Attempt = m.Attempt,
            Incarnation = m.Incarnation,
            Command = ToWire(m.Command),
            Caller = ToWire(m.Caller),
            Heartbeat = ToWire(m.HeartbeatEvery),
            Needs = PlacementParts.ToWire(m.Needs),
            Artifacts = { m.Artifacts.Select(ArtifactParts.ToWire) },
            Inputs = { m.Inputs.Select(ArtifactParts.ToWire) },
        };
        if (m.Timeout is { } timeout)
        {
            wire.Timeout = ToWire(timeout);
        }

        if (m.Checkpoint is { } checkpoint)
        {
            wire.Checkpoint = ToWire(checkpoint);
        }

        return wire;
    }

    private static RunAttempt ReadRun(Wire.RunAttempt w) => new(
        ToJobId(w.Job), ToAttempt(w.Attempt), w.Incarnation, FromWire(w.Command), FromWire(w.Caller), w.HasTimeout ? ToSpan(w.Timeout) : null, ToSpan(w.Heartbeat))
    {
        Needs = PlacementParts.FromWire(w.Needs),
        Checkpoint = w.HasCheckpoint ? ToCheckpoint(w.Checkpoint) : null,
        Artifacts = ArtifactParts.FromWire(w.Artifacts),
        Inputs = ArtifactParts.FromWire(w.Inputs),
    };

    private static Wire.JobView WriteView(JobView m)
    {
        var wire = new Wire.JobView
        {
            Job = m.JobId.ToString(),
            State = (int)m.State,
            Spec = ToWire(m.Spec),
            Attempt = m.Attempt,
            Result = ToWire(m.Result),
            Problem = ToWire(m.Problem),
            AcceptedAt = ToWire(m.AcceptedAt),
            CancelRequested = m.CancelRequested,
            Progress = ToWire(m.Progress),
            Delivery = DeliveryParts.ToWire(m.Delivery),
        };
        if (m.Checkpoint is { } kept)
        {
            wire.Checkpoint = new Wire.CheckpointView { Bytes = kept.Bytes, Attempt = kept.Attempt, At = ToWire(kept.At) };
        }

        if (m.Device is { } device)
        {
            wire.Device = device.ToString();
        }

        if (m.PlacedAt is { } placed)
        {
            wire.PlacedAt = ToWire(placed);
        }

        if (m.EndedAt is { } ended)
        {
            wire.EndedAt = ToWire(ended);
        }

        if (m.NextAttemptAt is { } next)
        {
            wire.NextAttemptAt = ToWire(next);
        }

        if (m.WaitingFor is { } waiting)
        {
            wire.WaitingFor = waiting;
        }

        return wire;
    }

    private static JobView ReadView(Wire.JobView w) => new(
        ToJobId(w.Job),
        ToEnum<JobStateName>(w.State),
        FromWire(w.Spec),
        w.Attempt,
        w.HasDevice ? ToDevice(w.Device) : null,
        FromWire(w.Result),
        FromWire(w.Problem),
        ToTime(w.AcceptedAt),
        w.HasPlacedAt ? ToTime(w.PlacedAt) : null,
        w.HasEndedAt ? ToTime(w.EndedAt) : null,
        w.HasNextAttemptAt ? ToTime(w.NextAttemptAt) : null,
        w.CancelRequested,
        w.HasWaitingFor ? w.WaitingFor : null)
    {
        Progress = FromWire(w.Progress),
        Checkpoint = w.Checkpoint is { } kept ? new CheckpointView(kept.Bytes, kept.Attempt, ToTime(kept.At)) : null,
        Delivery = DeliveryParts.FromWire(w.Delivery),
    };
}
