using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Contracts.WireParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Events and snapshot of a workflow as the journal keeps them.</summary>
internal static class WorkflowEventContracts
{
    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of(
            WorkflowManifests.Accepted,
            Wire.WorkflowAcceptedEvent.Parser,
            (WorkflowAcceptedEvent m) => new Wire.WorkflowAcceptedEvent { At = WireParts.ToWire(m.At), Spec = WorkflowParts.ToWire(m.Spec), Taken = { m.Taken.Select(WorkflowParts.ToWire) } },
            w => new WorkflowAcceptedEvent(ToTime(w.At), WorkflowParts.FromWire(w.Spec), [.. w.Taken.Select(WorkflowParts.FromWire)])),
        Contract.Of(
            WorkflowManifests.Begun,
            Wire.StepBegunEvent.Parser,
            (StepBegunEvent m) => new Wire.StepBegunEvent { At = WireParts.ToWire(m.At), Step = m.Step, Generation = m.Generation, Runs = { m.Runs.Select(WorkflowParts.ToWire) } },
            w => new StepBegunEvent(ToTime(w.At), w.Step, ToAttempt(w.Generation), [.. w.Runs.Select(WorkflowParts.FromWire)])),
        Contract.Of(
            WorkflowManifests.NotBegun,
            Wire.StepNotBegunEvent.Parser,
            (StepNotBegunEvent m) => new Wire.StepNotBegunEvent { At = WireParts.ToWire(m.At), Step = m.Step, Problem = WireParts.ToWire(m.Problem) },
            w => new StepNotBegunEvent(ToTime(w.At), w.Step, Required(WireParts.FromWire(w.Problem)))),
        Contract.Of(
            WorkflowManifests.JobsEnded,
            Wire.StepJobsEndedEvent.Parser,
            (StepJobsEndedEvent m) => new Wire.StepJobsEndedEvent { At = WireParts.ToWire(m.At), Runs = { m.Runs.Select(WorkflowParts.ToWire) } },
            w => new StepJobsEndedEvent(ToTime(w.At), [.. w.Runs.Select(WorkflowParts.FromWire)])),
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
        Contract.Of(WorkflowManifests.Ended, Wire.WorkflowEndedEvent.Parser, (WorkflowEndedEvent m) => new Wire.WorkflowEndedEvent { At = WireParts.ToWire(m.At) }, w => new WorkflowEndedEvent(ToTime(w.At))),
        Contract.Of<WorkflowState, Wire.WorkflowNow>(WorkflowManifests.Snapshot, Wire.WorkflowNow.Parser, WorkflowParts.ToWire, WorkflowParts.FromWire),
    ];
}
