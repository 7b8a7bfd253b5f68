using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>Somebody who submits a workflow until it is acknowledged, resumes it when a step failed, and sometimes skips, pauses or cancels.</summary>
internal sealed class SimWorkflow(SimLoop loop, History history, IReadOnlyList<DeviceId> devices, Action<object, Predicate<object>> repeat)
{
    private const int LooksMax = 40;

    public void Submit(WorkflowId id, JobSpec job)
    {
        ValueList<StepSpec> steps = [.. Enumerable.Range(0, loop.Random.Next(1, 6)).Select(index => Step(index, job))];
        var spec = new WorkflowSpec("sim", [], job.Caller, loop.Random.Next(1, 4), steps, null, default);
        repeat(new SubmitWorkflow(id, spec, []), answer =>
        {
            if (answer is WorkflowAccepted)
            {
                history.WorkflowAccepted(id.ToString());
            }

            return answer is WorkflowAccepted;
        });
        loop.After(loop.Between(5, 30), null, () => Look(id, job.Caller, LooksMax));
    }

    private StepSpec Step(int index, JobSpec job)
    {
        ValueList<StepNeed> needs = [.. Enumerable.Range(0, index).Where(_ => loop.Chance(0.4)).Select(before => new StepNeed(loop.Chance(0.7) ? DependencyCondition.Ok : DependencyCondition.Any, $"s{before}"))];
        StepTargets targets = loop.Chance(0.2)
            ? new StepTargets(new ArrayTargets("@all", true, [], []), [])
            : new StepTargets(new ArrayTargets("@device", false, [devices[loop.Random.Next(devices.Count)]], []), []);
        return new StepSpec($"s{index}", job with { IdempotencyKey = null }, targets, needs, IsShell: false, AllowFailure: loop.Chance(0.2));
    }

    private void Look(WorkflowId id, Caller by, int left)
    {
        bool isSeen = false;
        repeat(new GetWorkflow(id), answer =>
        {
            if (!isSeen && answer is WorkflowView view)
            {
                isSeen = true;
                Act(id, by, view.State);
                if (view.State.EndedAt is null && left > 0)
                {
                    loop.After(loop.Between(2, 20), null, () => Look(id, by, left - 1));
                }
            }

            return answer is WorkflowView or WorkflowProblem;
        });
    }

    private void Act(WorkflowId id, Caller by, WorkflowState state)
    {
        if (state.EndedAt is not null)
        {
            return;
        }

        StepState? failed = state.Steps.FirstOrDefault(step => step.Blocks);
        WorkflowAction? action = state.Name == WorkflowStateName.Paused
            ? failed is not null && loop.Chance(0.3) ? WorkflowAction.Skip : WorkflowAction.Resume
            : loop.Chance(0.04) ? WorkflowAction.Cancel : loop.Chance(0.04) ? WorkflowAction.Pause : null;
        if (action is not { } wanted)
        {
            return;
        }

        repeat(new ChangeWorkflow(id, wanted, wanted == WorkflowAction.Skip ? failed!.Spec.Name : "", by), answer =>
        {
            if (wanted == WorkflowAction.Cancel && answer is WorkflowView { State.CancelledBy: not null })
            {
                history.CancelAcknowledged.Add(id.ToString());
            }

            return answer is WorkflowView or WorkflowProblem;
        });
    }
}
