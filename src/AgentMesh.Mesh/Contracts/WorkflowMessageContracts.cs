using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Contracts.WireParts;
using static AgentMesh.Mesh.Contracts.WorkflowParts;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Messages about workflows between a node and the entity.</summary>
internal static class WorkflowMessageContracts
{
    private const string Submit = "workflow.submit.1";

    /// <summary>A member of a pool that cannot tell the end of a workflow does not know this name, and does not accept it.</summary>
    private const string SubmitToTell = "workflow.submit-to-tell.1";

    public static IEnumerable<Contract> All { get; } =
    [
        Contract.Of<SubmitWorkflow, Wire.SubmitWorkflow>(
            m => m.Spec.Notify is null ? Submit : SubmitToTell,
            [Submit, SubmitToTell],
            Wire.SubmitWorkflow.Parser,
            m => new Wire.SubmitWorkflow { Workflow = m.WorkflowId.ToString(), Spec = WorkflowParts.ToWire(m.Spec), Taken = { m.Taken.Select(WorkflowParts.ToWire) } },
            w => new SubmitWorkflow(ToWorkflowId(w.Workflow), WorkflowParts.FromWire(w.Spec), [.. w.Taken.Select(WorkflowParts.FromWire)])),
        Contract.Of(
            "workflow.accepted.1",
            Wire.WorkflowAccepted.Parser,
            (WorkflowAccepted m) => new Wire.WorkflowAccepted { Workflow = m.WorkflowId.ToString(), Repeated = m.Repeated },
            w => new WorkflowAccepted(ToWorkflowId(w.Workflow), w.Repeated)),
        Contract.Of("workflow.get.1", Wire.GetWorkflow.Parser, (GetWorkflow m) => new Wire.GetWorkflow { Workflow = m.WorkflowId.ToString() }, w => new GetWorkflow(ToWorkflowId(w.Workflow))),
        Contract.Of("workflow.wake.1", Wire.WakeWorkflow.Parser, (WakeWorkflow m) => new Wire.WakeWorkflow { Workflow = m.WorkflowId.ToString() }, w => new WakeWorkflow(ToWorkflowId(w.Workflow))),
        Contract.Of(
            "workflow.change.1",
            Wire.ChangeWorkflow.Parser,
            (ChangeWorkflow m) => new Wire.ChangeWorkflow { Workflow = m.WorkflowId.ToString(), Action = (int)m.Action, Step = m.Step, By = WireParts.ToWire(m.By) },
            w => new ChangeWorkflow(ToWorkflowId(w.Workflow), ToEnum<WorkflowAction>(w.Action), w.Step, WireParts.FromWire(w.By))),
        Contract.Of(
            "workflow.edit-step.1",
            Wire.EditStep.Parser,
            (EditStep m) => new Wire.EditStep { Workflow = m.WorkflowId.ToString(), Step = WorkflowParts.ToWire(m.Step), By = WireParts.ToWire(m.By) },
            w => new EditStep(ToWorkflowId(w.Workflow), WorkflowParts.FromWire(w.Step), WireParts.FromWire(w.By))),
        Contract.Of(
            "workflow.problem.1",
            Wire.WorkflowProblem.Parser,
            (WorkflowProblem m) => new Wire.WorkflowProblem { Workflow = m.WorkflowId.ToString(), Problem = WireParts.ToWire(m.Problem) },
            w => new WorkflowProblem(ToWorkflowId(w.Workflow), Required(WireParts.FromWire(w.Problem)))),
        Contract.Of(
            "workflow.view.1",
            Wire.WorkflowView.Parser,
            (WorkflowView m) => new Wire.WorkflowView { Workflow = m.WorkflowId.ToString(), Now = WorkflowParts.ToWire(m.State), Notes = { m.Notes.Select(note => new Wire.StepNote { Step = note.Step, Text = note.Text }) } },
            w => new WorkflowView(ToWorkflowId(w.Workflow), WorkflowParts.FromWire(w.Now), [.. w.Notes.Select(note => new StepNote(note.Step, note.Text))])),
    ];
}
