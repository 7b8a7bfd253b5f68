using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Mesh.Workflows;

/// <summary>What a person may do with a workflow, as it stands.</summary>
public static class WorkflowChanges
{
    /// <returns>Null where it is so already.</returns>
    /// <exception cref="MeshException">AM0311: not in this state. AM0373: no such step.</exception>
    public static IWorkflowEvent? Of(WorkflowState workflow, ChangeWorkflow request, DateTimeOffset now)
    {
        if (workflow.CancelledBy is not null && request.Action == WorkflowAction.Cancel)
        {
            return null;
        }

        CheckGoesOn(workflow);
        switch (request.Action)
        {
            case WorkflowAction.Pause:
                return workflow.PausedBy is null ? new WorkflowPausedEvent(now, request.By) : null;
            case WorkflowAction.Resume:
                return workflow.Name == WorkflowStateName.Paused ? new WorkflowResumedEvent(now, request.By) : null;
            case WorkflowAction.Retry:
                StepState failed = StepOf(workflow, request.Step);
                return failed.Blocks ? new StepRetriedEvent(now, request.Step, request.By) : throw Wrong(workflow, failed, "only a step that failed begins again");
            case WorkflowAction.Skip:
                StepState idle = StepOf(workflow, request.Step);
                return idle.Blocks || idle.Name == StepStateName.Waiting ? new StepSkippedEvent(now, request.Step, request.By) : throw Wrong(workflow, idle, "only a step that waits or failed is left out");
            default:
                return new WorkflowCancelRequestedEvent(now, request.By);
        }
    }

    /// <exception cref="MeshException">AM0311, AM0373.</exception>
    public static StepEditedEvent Edit(WorkflowState workflow, EditStep request, DateTimeOffset now)
    {
        CheckGoesOn(workflow);
        StepState step = StepOf(workflow, request.Step.Name);
        return step.Blocks || step.Name == StepStateName.Waiting
            ? new StepEditedEvent(now, request.Step with { Needs = step.Spec.Needs }, request.By)
            : throw Wrong(workflow, step, "only a step that waits or failed is edited");
    }

    /// <exception cref="MeshException">AM0373</exception>
    public static StepState StepOf(WorkflowState workflow, string name)
    {
        if (workflow.Find(name) is { } step)
        {
            return step;
        }

        string[] known = [.. workflow.Steps.Select(each => each.Spec.Name)];
        throw new MeshException(
            MeshErrors.UnknownStep, $"{workflow.WorkflowId.Short} has no step '{name}'", $"{(Nearest.Of(name, known) is { } near ? $"did you mean '{near}'? " : "")}its steps are: {string.Join(", ", known.Take(50))}");
    }

    private static void CheckGoesOn(WorkflowState workflow)
    {
        if (workflow.EndedAt is not null || workflow.CancelledBy is not null)
        {
            throw new MeshException(
                MeshErrors.NotInThisState,
                $"workflow {workflow.WorkflowId.Short} is {workflow.Name.ToString().ToLowerInvariant()}: nothing of it changes any more",
                $"'agentmesh workflow fork {workflow.WorkflowId.Short} --from-step STEP' begins another one from there");
        }
    }

    private static MeshException Wrong(WorkflowState workflow, StepState step, string rule) => new(
        MeshErrors.NotInThisState,
        $"step {step.Spec.Name} is {step.Name.ToString().ToLowerInvariant()}: {rule}",
        step.IsOver
            ? $"a step that is over never runs again; 'agentmesh workflow fork {workflow.WorkflowId.Short} --from-step {step.Spec.Name}' begins another workflow with it"
            : $"'agentmesh workflow show {workflow.WorkflowId.Short}' tells how it stands");
}
