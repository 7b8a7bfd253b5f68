using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;

namespace Simulation.Checks;

/// <summary>What must hold of a workflow when it has become quiet.</summary>
internal static class WorkflowChecker
{
    public static void Check(History history, string id, IWorkflowEvent[] changes, Dictionary<string, object[]> events)
    {
        Assert.True(WorkflowId.TryParse(id, out WorkflowId workflow));
        WorkflowState state = WorkflowState.None(workflow);
        var begun = new HashSet<JobId>();
        foreach (IWorkflowEvent change in changes)
        {
            foreach (StepState over in state.Steps.Where(step => step.IsOver))
            {
                Assert.True(change is not StepBegunEvent again || again.Step != over.Spec.Name, $"{id}: step {over.Spec.Name} is over and began again");
            }

            state = state.Apply(change);
            foreach (StepRun run in (change as StepBegunEvent)?.Runs ?? [])
            {
                Assert.True(begun.Add(run.JobId), $"{id}: {run.JobId} was begun twice");
            }
        }

        // A paused one is a person's to decide.
        Assert.True(state.EndedAt is not null || (state.Name == WorkflowStateName.Paused && !state.Running.Any()), $"{id} is {state.Name}: {string.Join(", ", state.Steps.Select(step => $"{step.Spec.Name} {step.Name}"))}");
        foreach (StepRun run in changes.OfType<StepJobsEndedEvent>().SelectMany(change => change.Runs))
        {
            Assert.True(begun.Remove(run.JobId), $"{id}: the end of {run.JobId} was recorded twice");
            object last = events[run.JobId.ToString()][^1];
            Assert.True(run.End!.State == JobStateName.Completed == last is CompletedEvent, $"{id}: {run.JobId} is {run.End.State}, and the job ended with {last.GetType().Name}");
            if (last is CompletedEvent completed)
            {
                Assert.Equal(completed.Result.Text, run.End.Result);
            }
        }

        Assert.True(begun.Count == 0, $"{id}: nobody knows how {string.Join(", ", begun)} ended");
        if (history.CancelAcknowledged.Contains(id))
        {
            Assert.NotNull(state.CancelledBy);
        }
    }
}
