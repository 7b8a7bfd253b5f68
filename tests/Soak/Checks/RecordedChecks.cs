using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;

namespace Soak.Checks;

/// <summary>What the journals hold of arrays, workflows and schedules: each event must be one that may follow on those before it.</summary>
internal static class RecordedChecks
{
    /// <summary>A schedule looks at its clock every 15 seconds; a node may be stopped for 20 and need as long to start.</summary>
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(60);

    public static void CheckArray(Board board, string name, ArrayId id, IReadOnlyList<IArrayEvent> changes)
    {
        ArrayState state = ArrayState.None(id);
        Follow(board, name, changes, change => state = state.Apply(change));
        ElementEnd[] ends = [.. changes.OfType<ElementsEndedEvent>().SelectMany(change => change.Elements)];
        board.Check("the end of each element is recorded once", ends.Select(end => end.Run.JobId).Distinct().Count() == ends.Length, () => $"{name}: {string.Join(", ", ends.Select(end => $"{end.Run.Index} {end.Run.JobId} {end.State}"))}");
        int[] completed = [.. ends.Where(end => end.State == JobStateName.Completed).Select(end => end.Run.Index)];
        board.Check("each element of an array completed exactly once", completed.Order().SequenceEqual(Enumerable.Range(0, state.Count)), () => $"{name}: {state.Count} elements, completed: {string.Join(", ", completed.Order())}");
    }

    public static void CheckWorkflow(Board board, string name, WorkflowId id, IReadOnlyList<IWorkflowEvent> changes)
    {
        WorkflowState state = WorkflowState.None(id);
        var begun = new HashSet<JobId>();
        Follow(board, name, changes, change =>
        {
            if (change is StepBegunEvent { } begins && state.Find(begins.Step) is { } step)
            {
                string[] open = [.. step.Spec.Needs.Where(need => state.Find(need.Step) is not { Name: StepStateName.Completed }).Select(need => need.ToString())];
                board.Check("a step begins when all that it needs has completed, and never again after its end", open.Length == 0 && !step.IsOver, () => $"{name}: {begins.Step} ({step.Name}) before {string.Join(", ", open)}");
                board.Check("each job of a step is begun once", begins.Runs.All(run => begun.Add(run.JobId)), () => $"{name}: {begins.Step}");
            }

            state = state.Apply(change);
        });
        board.Check("every workflow in the journal is over", state.EndedAt is not null, () => $"{name}: {state.Name}");
    }

    /// <summary>Each minute from its creation until it was disabled was fired once, or counted as missed as its policy has it.</summary>
    public static void CheckCron(Board board, string name, CronId id, IReadOnlyList<ICronEvent> changes)
    {
        CronState state = CronState.None(id);
        Follow(board, name, changes, change => state = state.Apply(change));
        CronFiredEvent[] fired = [.. changes.OfType<CronFiredEvent>()];
        DateTimeOffset[] times = [.. fired.Select(fire => fire.Nominal).Distinct()];
        board.Check("no time of a schedule is fired twice", times.Length == fired.Length && fired.Select(fire => fire.JobId).Distinct().Count() == fired.Length, () => $"{name}: {string.Join(", ", fired.Select(fire => $"{fire.Nominal:T} {fire.JobId}"))}");
        if (state.Spec is not { } spec || changes.OfType<CronDisabledEvent>().LastOrDefault() is not { } disabled)
        {
            return;
        }

        CronMissedEvent[] missed = [.. changes.OfType<CronMissedEvent>()];
        DateTimeOffset last = times.Concat(missed.Select(miss => miss.Through)).Concat(changes.OfType<CronBufferedEvent>().Select(wait => wait.Nominal)).DefaultIfEmpty(changes[0].At).Max();
        long minutes = (last.UtcTicks / TimeSpan.TicksPerMinute) - (changes[0].At.UtcTicks / TimeSpan.TicksPerMinute);
        board.Check("each time of a schedule is fired once or counted as missed", times.Length + state.Missed == minutes, () => $"{name}: {times.Length} fired and {state.Missed} missed in {minutes} minutes from {changes[0].At:T} to {last:T}");
        board.Check("a schedule notices its times", disabled.At - last < TimeSpan.FromMinutes(1) + NoticedWithin, () => $"{name}: disabled at {disabled.At:T}, the last time it noticed is {last:T}");
        int away = missed.Where(miss => miss.Reason == CronMissedReason.Away).Sum(miss => miss.Count);
        switch (spec.Missed)
        {
            case CronMissed.All or CronMissed.Window:
                board.Check("a schedule that makes up for what was missed misses nothing", away == 0, () => $"{name}: {away}");
                break;
            case CronMissed.Skip:
                board.Check("a schedule that skips what was missed does not make up for it", fired.All(fire => fire.Cause == CronCause.Schedule), () => $"{name}: {string.Join(", ", fired.Select(fire => $"{fire.Nominal:T} {fire.Cause}"))}");
                break;
        }
    }

    private static void Follow<T>(Board board, string name, IReadOnlyList<T> changes, Action<T> apply)
    {
        string? broken = null;
        try
        {
            foreach (T change in changes)
            {
                apply(change);
            }
        }
        catch (Exception error) when (error is InvariantException or KeyNotFoundException or ArgumentException or InvalidOperationException)
        {
            broken = error.Message;
        }

        board.Check("each event follows on those before it", broken is null, () => $"{name}: {broken}");
    }
}
