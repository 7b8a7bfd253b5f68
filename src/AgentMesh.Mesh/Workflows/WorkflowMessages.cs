using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Workflows;

/// <summary>A message to the entity of a workflow, or from it. The entity listens to its own device only.</summary>
public interface IWorkflowMessage
{
    WorkflowId WorkflowId { get; }
}

/// <summary>Answered with <see cref="WorkflowAccepted"/> when it is on disk, or <see cref="WorkflowProblem"/>. A repeat of the same steps and variables is answered like the first.</summary>
/// <param name="Taken">As in <see cref="WorkflowAcceptedEvent"/>.</param>
public sealed record SubmitWorkflow(WorkflowId WorkflowId, WorkflowSpec Spec, ValueList<StepState> Taken) : IWorkflowMessage;

/// <param name="Repeated">The workflow was there already.</param>
public sealed record WorkflowAccepted(WorkflowId WorkflowId, bool Repeated) : IWorkflowMessage;

/// <summary>Answered with <see cref="WorkflowView"/> or <see cref="WorkflowProblem"/>.</summary>
public sealed record GetWorkflow(WorkflowId WorkflowId) : IWorkflowMessage;

/// <summary>Brings a workflow that is not over back to life after a restart. Answered like <see cref="GetWorkflow"/>.</summary>
public sealed record WakeWorkflow(WorkflowId WorkflowId) : IWorkflowMessage;

/// <summary>The numbers are on the wire.</summary>
public enum WorkflowAction
{
    Pause = 1,
    Resume = 2,
    Retry = 3,
    Skip = 4,
    Cancel = 5,
}

/// <summary>Answered with <see cref="WorkflowView"/> after the wish is on disk, or <see cref="WorkflowProblem"/>.</summary>
/// <param name="Step">For Retry and Skip; otherwise empty.</param>
public sealed record ChangeWorkflow(WorkflowId WorkflowId, WorkflowAction Action, string Step, Caller By) : IWorkflowMessage;

/// <summary>Replaces a step that has not begun, or failed. Its name and what it needs stay. Answered like <see cref="ChangeWorkflow"/>.</summary>
public sealed record EditStep(WorkflowId WorkflowId, StepSpec Step, Caller By) : IWorkflowMessage;

public sealed record WorkflowProblem(WorkflowId WorkflowId, Problem Problem) : IWorkflowMessage, IRefusal;

/// <param name="Text">What a step waits for, in words.</param>
public sealed record StepNote(string Step, string Text);

/// <summary>What is known of a workflow now.</summary>
public sealed record WorkflowView(WorkflowId WorkflowId, WorkflowState State, ValueList<StepNote> Notes) : IWorkflowMessage;
