using AgentMesh.Errors;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Workflows;

/// <summary>Random workflows under random hands: what must always hold is checked after each event, and everybody is over in the end.</summary>
public sealed class WorkflowWalkTests
{
    private static readonly WorkflowAction[] Actions = Enum.GetValues<WorkflowAction>();

    [Fact]
    public void Random_walks_keep_every_rule_and_come_to_an_end()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Walk(new Random(seed), seed);
        }
    }

    private static void Walk(Random random, int seed)
    {
        WorkflowSpec spec = WorkflowLab.Read(File(random)) with { Notify = new Notify("https://example.org/hook", NotifyOn.Any) };
        WorkflowState state = WorkflowState.None(WorkflowLab.Id).Apply(new WorkflowAcceptedEvent(Start, spec, []));
        var jobs = new HashSet<JobId>();
        var told = new HashSet<string>(StringComparer.Ordinal);
        long number = 1;
        for (int turn = 0; turn < 2_000 && state.EndedAt is null; turn++)
        {
            IWorkflowEvent? change = random.Next(10) switch
            {
                0 when turn < 200 => Hand(state, random),
                < 5 when state.Running.Any() => End(state, random, turn < 200),
                _ => WorkflowRules.Next(state, _ => [WorkflowLab.GpuBox, WorkflowLab.Lab], Start),
            };
            if (change is null && turn >= 200 && state.Name == WorkflowStateName.Paused)
            {
                change = new WorkflowResumedEvent(Start, Laptop);
            }

            if (change is not null)
            {
                WorkflowState before = state;
                change = WorkflowDeliveryRules.Marked(before, change, ++number);
                state = Checked(before, change, jobs, seed);
                CheckRest(before, state, change, told, seed);
            }
        }

        Assert.True(state.EndedAt is not null, $"seed {seed}: {state.Name}: {string.Join(", ", state.Steps.Select(step => $"{step.Spec.Name} {step.Name}"))}");
    }

    /// <summary>Each rest that is not a person's doing is told, under an id of its own, and with the same words until a person does something.</summary>
    private static void CheckRest(WorkflowState before, WorkflowState after, IWorkflowEvent change, HashSet<string> told, int seed)
    {
        if (change is WorkflowEndedEvent or StepJobsEndedEvent or StepNotBegunEvent)
        {
            Assert.True(WorkflowDeliveryRules.EndOf(after) == after.Rest?.State, $"seed {seed}: {after.Name} {after.Rest}");
            Assert.True(after.Rest is not { } rest || told.Add(WorkflowDeliveryRules.IdOf(after.WorkflowId, rest)), $"seed {seed}: two ends have one id");
        }
        else if (after.Rest is not null)
        {
            Assert.True(WorkflowDeliveryRules.Ready(before, Start) == WorkflowDeliveryRules.Ready(after, Start), $"seed {seed}: {change.GetType().Name} changes what is told");
        }

        Assert.True(after.Rest is null || after.Name is WorkflowStateName.Completed or WorkflowStateName.Cancelled or WorkflowStateName.Paused, $"seed {seed}: {after.Name} at rest");
    }

    private static WorkflowState Checked(WorkflowState before, IWorkflowEvent change, HashSet<JobId> jobs, int seed)
    {
        WorkflowState after = before.Apply(change);
        Assert.True(MeshContracts.TryFind(after, out Contract? contract));
        Assert.Equal(after, MeshContracts.Read(contract.ManifestOf(after), contract.Write(after)));
        foreach ((StepState was, StepState step) in before.Steps.Zip(after.Steps))
        {
            // What is over stays as it is, for ever.
            Assert.True(!was.IsOver || was == step, $"seed {seed}: {step.Spec.Name}");
            if (step.Name == StepStateName.Running && was.Name != StepStateName.Running)
            {
                Assert.True(before.Name == WorkflowStateName.Running && WorkflowRules.IsReady(before, was) == true, $"seed {seed}: {step.Spec.Name}");
                Assert.All(step.Runs, run => Assert.True(jobs.Add(run.JobId)));
            }
        }

        Assert.True(after.Running.Count() <= after.Spec!.Parallel);
        return after;
    }

    private static StepJobsEndedEvent? End(WorkflowState state, Random random, bool mayFail)
    {
        StepRun[] open = [.. state.Running.SelectMany(step => step.Runs).Where(run => run.End is null)];
        StepRun run = open[random.Next(open.Length)];
        JobStateName how = !mayFail ? JobStateName.Completed : random.Next(6) switch { 0 => JobStateName.Failed, 1 => JobStateName.Cancelled, 2 => JobStateName.Paused, _ => JobStateName.Completed };
        return new StepJobsEndedEvent(Start, [run with { End = new StepRunEnd(how, 0, null, "x", 1, Start) }]);
    }

    private static IWorkflowEvent? Hand(WorkflowState state, Random random)
    {
        WorkflowAction action = random.Next(40) == 0 ? WorkflowAction.Cancel : Actions[random.Next(Actions.Length - 1)];
        StepState step = state.Steps[random.Next(state.Steps.Count)];
        try
        {
            return random.Next(5) == 0
                ? WorkflowChanges.Edit(state, new EditStep(state.WorkflowId, step.Spec with { AllowFailure = random.Next(2) == 0 }, Laptop), Start)
                : WorkflowChanges.Of(state, new ChangeWorkflow(state.WorkflowId, action, step.Spec.Name, Laptop), Start);
        }
        catch (MeshException refused)
        {
            Assert.Equal(MeshErrors.NotInThisState, refused.Code);
            return null;
        }
    }

    private static string File(Random random)
    {
        int count = random.Next(1, 9);
        bool[] allowed = [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0)];
        IEnumerable<string> steps = Enumerable.Range(0, count).Select(index =>
        {
            IEnumerable<string> needs = Enumerable.Range(0, index).Where(_ => random.Next(3) == 0).Select(before => random.Next(3) switch
            {
                0 => $"\"any:s{before}\"",
                1 when allowed[before] => $"\"fail:s{before}\"",
                _ => $"s{before}",
            });
            return $"  - {{ name: s{index}, on: \"{(random.Next(2) == 0 ? "@label:gpu" : "@gpu-box")}\", command: x, allow-failure: {(allowed[index] ? "true" : "false")}, needs: [{string.Join(", ", needs)}] }}";
        });
        return $"max-parallel: {random.Next(1, 4)}\nsteps:\n{string.Join('\n', steps)}\n";
    }
}
