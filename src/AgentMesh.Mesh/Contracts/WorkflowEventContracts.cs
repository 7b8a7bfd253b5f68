using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Events and snapshot of a workflow as the journal keeps them.</summary>
internal static class WorkflowEventContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<WorkflowAcceptedEvent, Wire.WorkflowAcceptedEvent>(
            m => m.Spec.Notify is null ? WorkflowManifests.Accepted : WorkflowManifests.AcceptedToTell,
            [WorkflowManifests.Accepted, WorkflowManifests.AcceptedToTell],
            Wire.WorkflowAcceptedEvent.Parser,
            m => new Wire.WorkflowAcceptedEvent { At = WireParts.ToWire(m.At), Spec = WorkflowParts.ToWire(m.Spec), Taken = { m.Taken.Select(WorkflowParts.ToWire) } },
            w => new WorkflowAcceptedEvent(ToTime(w.At), WorkflowParts.FromWire(w.Spec), [.. w.Taken.Select(WorkflowParts.FromWire)])),
        Contract.Of(
            WorkflowManifests.Begun,
            Wire.StepBegunEvent.Parser,
            (StepBegunEvent m) => new Wire.StepBegunEvent { At = WireParts.ToWire(m.At), Step = m.Step, Generation = m.Generation, Runs = { m.Runs.Select(WorkflowParts.ToWire) } },
            w => new StepBegunEvent(ToTime(w.At), w.Step, ToAttempt(w.Generation), [.. w.Runs.Select(WorkflowParts.FromWire)])),
        Contract.Of<StepNotBegunEvent, Wire.StepNotBegunEvent>(
            m => m.DueAs == 0 ? WorkflowManifests.NotBegun : WorkflowManifests.NotBegunToTell,
            [WorkflowManifests.NotBegun, WorkflowManifests.NotBegunToTell],
            Wire.StepNotBegunEvent.Parser,
            m => new Wire.StepNotBegunEvent { At = WireParts.ToWire(m.At), Step = m.Step, Problem = WireParts.ToWire(m.Problem), DueAs = m.DueAs },
            w => new StepNotBegunEvent(ToTime(w.At), w.Step, Required(WireParts.FromWire(w.Problem))) { DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of<StepJobsEndedEvent, Wire.StepJobsEndedEvent>(
            m => m.DueAs == 0 ? WorkflowManifests.JobsEnded : WorkflowManifests.JobsEndedToTell,
            [WorkflowManifests.JobsEnded, WorkflowManifests.JobsEndedToTell],
            Wire.StepJobsEndedEvent.Parser,
            m => new Wire.StepJobsEndedEvent { At = WireParts.ToWire(m.At), Runs = { m.Runs.Select(WorkflowParts.ToWire) }, DueAs = m.DueAs },
            w => new StepJobsEndedEvent(ToTime(w.At), [.. w.Runs.Select(WorkflowParts.FromWire)]) { DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of(
            WorkflowManifests.Omitted,
            Wire.StepsOmittedEvent.Parser,
            (StepsOmittedEvent m) => new Wire.StepsOmittedEvent { At = WireParts.ToWire(m.At), Steps = { m.Steps } },
            w => new StepsOmittedEvent(ToTime(w.At), [.. w.Steps])),
        Contract.Of(
            WorkflowManifests.Paused,
            Wire.WorkflowPausedEvent.Parser,
            (WorkflowPausedEvent m) => new Wire.WorkflowPausedEvent { At = WireParts.ToWire(m.At), By = WireParts.ToWire(m.By) },
            w => new WorkflowPausedEvent(ToTime(w.At), WireParts.FromWire(w.By))),
        Contract.Of(
            WorkflowManifests.Resumed,
            Wire.WorkflowResumedEvent.Parser,
            (WorkflowResumedEvent m) => new Wire.WorkflowResumedEvent { At = WireParts.ToWire(m.At), By = WireParts.ToWire(m.By) },
            w => new WorkflowResumedEvent(ToTime(w.At), WireParts.FromWire(w.By))),
        Contract.Of(
            WorkflowManifests.Retried,
            Wire.StepRetriedEvent.Parser,
            (StepRetriedEvent m) => new Wire.StepRetriedEvent { At = WireParts.ToWire(m.At), Step = m.Step, By = WireParts.ToWire(m.By) },
            w => new StepRetriedEvent(ToTime(w.At), w.Step, WireParts.FromWire(w.By))),
        Contract.Of(
            WorkflowManifests.Skipped,
            Wire.StepSkippedEvent.Parser,
            (StepSkippedEvent m) => new Wire.StepSkippedEvent { At = WireParts.ToWire(m.At), Step = m.Step, By = WireParts.ToWire(m.By) },
            w => new StepSkippedEvent(ToTime(w.At), w.Step, WireParts.FromWire(w.By))),
        Contract.Of(
            WorkflowManifests.Edited,
            Wire.StepEditedEvent.Parser,
            (StepEditedEvent m) => new Wire.StepEditedEvent { At = WireParts.ToWire(m.At), Step = WorkflowParts.ToWire(m.Step), By = WireParts.ToWire(m.By) },
            w => new StepEditedEvent(ToTime(w.At), WorkflowParts.FromWire(w.Step), WireParts.FromWire(w.By))),
        Contract.Of(
            WorkflowManifests.CancelRequested,
            Wire.WorkflowCancelRequestedEvent.Parser,
            (WorkflowCancelRequestedEvent m) => new Wire.WorkflowCancelRequestedEvent { At = WireParts.ToWire(m.At), By = WireParts.ToWire(m.By) },
            w => new WorkflowCancelRequestedEvent(ToTime(w.At), WireParts.FromWire(w.By))),
        Contract.Of<WorkflowEndedEvent, Wire.WorkflowEndedEvent>(
            m => m.DueAs == 0 ? WorkflowManifests.Ended : WorkflowManifests.EndedToTell,
            [WorkflowManifests.Ended, WorkflowManifests.EndedToTell],
            Wire.WorkflowEndedEvent.Parser,
            m => new Wire.WorkflowEndedEvent { At = WireParts.ToWire(m.At), DueAs = m.DueAs },
            w => new WorkflowEndedEvent(ToTime(w.At)) { DueAs = DeliveryParts.ToNumber(w.DueAs) }),
        Contract.Of<WorkflowToldEvent, Wire.WorkflowToldEvent>(
            WorkflowManifests.Of,
            [WorkflowManifests.EndedTelling, WorkflowManifests.EndedTold, WorkflowManifests.PausedTelling, WorkflowManifests.PausedTold],
            Wire.WorkflowToldEvent.Parser,
            m => new Wire.WorkflowToldEvent { At = WireParts.ToWire(m.At), Over = m.IsOver, Delivery = DeliveryParts.ToWire(m.Delivery) },
            w => new WorkflowToldEvent(ToTime(w.At), w.Over, Required(DeliveryParts.FromWire(w.Delivery)))),
        Contract.Of<WorkflowState, Wire.WorkflowNow>(
            m => m.Spec!.Notify is null ? WorkflowManifests.Snapshot : WorkflowManifests.SnapshotToTell,
            [WorkflowManifests.Snapshot, WorkflowManifests.SnapshotToTell],
            Wire.WorkflowNow.Parser,
            WorkflowParts.ToWire,
            WorkflowParts.FromWire),
    ];
}
