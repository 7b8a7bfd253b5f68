using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Control;
using MeshWorkflowView = AgentMesh.Mesh.Workflows.WorkflowView;
using WorkflowView = AgentMesh.Node.Control.WorkflowView;

namespace AgentMesh.Node.Services;

/// <summary>Workflows as the control API shows them.</summary>
internal static class WorkflowViews
{
    /// <summary>Of a workflow that gave no answer: what its journal says without being read.</summary>
    public static WorkflowView Unanswered(WorkflowId workflow, EntitySummary entity, MeshException silence) => new(
        workflow.ToString(), workflow.Short, "", Listed.Unanswered, DateTimeOffset.FromUnixTimeMilliseconds(entity.FirstAt), null, null, null, Listed.ProblemOf(silence), new Dictionary<string, string>(), []);

    public static WorkflowView Of(MeshWorkflowView view, bool repeated = false)
    {
        WorkflowState workflow = view.State;
        WorkflowSpec spec = workflow.Spec!;
        return new WorkflowView(
            view.WorkflowId.ToString(),
            view.WorkflowId.Short,
            spec.Name,
            workflow.Name.ToString().ToLowerInvariant(),
            workflow.AcceptedAt,
            workflow.EndedAt,
            spec.IdempotencyKey,
            spec.ForkOf.IsNone ? null : spec.ForkOf.ToString(),
            Of(WorkflowRules.Reason(workflow)),
            spec.Variables.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal),
            [.. workflow.Steps.Select(step => Of(step, view.Notes.FirstOrDefault(note => note.Step == step.Spec.Name)?.Text))],
            repeated)
        {
            Notify = spec.Notify?.Url,
            NotifyOn = DeliveryViews.OnOf(spec.Notify),
            Delivery = workflow.Rest is { } rest ? DeliveryViews.Of(WorkflowDeliveryRules.IdOf(view.WorkflowId, rest), view.WorkflowId.Short, rest.Delivery) : null,
        };
    }

    private static WorkflowStepView Of(StepState step, string? reason) => new(
        step.Spec.Name,
        step.Name.ToString().ToLowerInvariant(),
        step.Spec.Targets.Selector,
        step.Spec.Shown,
        [.. step.Spec.Needs.Select(need => need.ToString())],
        step.Spec.AllowFailure,
        step.Generation,
        step.IsTaken,
        step.BeganAt,
        step.EndedAt,
        reason,
        Of(step.Problem),
        [.. step.Runs.Select(Of)]);

    private static WorkflowJobView Of(StepRun run) => new(
        run.JobId.ToString(),
        run.JobId.Short,
        run.DeviceName,
        run.End?.State.ToString().ToLowerInvariant() ?? "running",
        run.End?.ExitCode,
        run.End?.Result,
        Of(run.End?.Problem),
        run.End?.EndedAt,
        [.. (run.End?.Artifacts ?? []).Select(artifact => new ArtifactRefView(artifact.Name, artifact.Hash.ToString(), artifact.Size))]);

    private static ProblemView? Of(Problem? problem) => problem is null ? null : new ProblemView(problem.Code, problem.Text, problem.NextStep);
}
