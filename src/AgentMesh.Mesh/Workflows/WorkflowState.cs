using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Workflows;

/// <summary>
/// Where a step stands. The numbers are on disk; the names are what interfaces print, in lower case.
/// <code>
/// from             on                                                  to
/// Waiting          its needs are met, and a device is there            Running, next generation
/// Waiting          its needs are met, and it cannot begin              Failed
/// Waiting          what it needs can never be any more                 Omitted
/// Running          every job of it completed                           Completed
/// Running          every job of it came to rest, and one failed        Failed
/// Failed           the workflow is resumed, or the step is retried     Waiting
/// Waiting, Failed  a person skips it                                   Skipped
/// Waiting, Running the workflow was cancelled, and nothing runs        Cancelled
/// </code>
/// A step that failed and may (<see cref="StepSpec.AllowFailure"/>) is over, and stays as it is.
/// </summary>
public enum StepStateName
{
    Waiting = 1,
    Running = 2,
    Completed = 3,
    Failed = 4,
    Skipped = 5,
    Omitted = 6,
    Cancelled = 7,
}

/// <summary>The names are what interfaces print, in lower case.</summary>
public enum WorkflowStateName
{
    Running = 1,

    /// <summary>A person paused it, or a step failed: no step begins; what runs goes on.</summary>
    Paused = 2,
    Cancelling = 3,

    /// <summary>Every step is over.</summary>
    Completed = 4,
    Cancelled = 5,
}

/// <param name="Generation">0 before the step began for the first time.</param>
/// <param name="Problem">Why it failed.</param>
/// <param name="IsTaken">It ran in the workflow that this one was forked from.</param>
public sealed record StepState(StepSpec Spec, StepStateName Name, int Generation, ValueList<StepRun> Runs, Problem? Problem, DateTimeOffset? BeganAt, DateTimeOffset? EndedAt, bool IsTaken)
{
    public static StepState Of(StepSpec spec) => new(spec, StepStateName.Waiting, 0, [], null, null, null, IsTaken: false);

    /// <summary>It never runs again.</summary>
    public bool IsOver => Name is StepStateName.Completed or StepStateName.Skipped or StepStateName.Omitted or StepStateName.Cancelled || (Name == StepStateName.Failed && Spec.AllowFailure);

    /// <summary>It failed, and a person must say what shall be.</summary>
    public bool Blocks => Name == StepStateName.Failed && !Spec.AllowFailure;
}

/// <summary>A workflow: the fold of its events. Immutable; knows no actor and no clock.</summary>
public sealed record WorkflowState
{
    private WorkflowState(WorkflowId workflowId) => WorkflowId = workflowId;

    public WorkflowId WorkflowId { get; }

    /// <summary>False before the first event.</summary>
    public bool Exists => Spec is not null;

    /// <summary>As it was accepted; steps that were edited since are in <see cref="Steps"/>.</summary>
    public WorkflowSpec? Spec { get; init; }

    public ValueList<StepState> Steps { get; init; }

    public DateTimeOffset AcceptedAt { get; init; }

    /// <summary>Set while a person has paused it.</summary>
    public Caller? PausedBy { get; init; }

    public Caller? CancelledBy { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The present rest, where it is told; null for one of which nobody is told, and while the workflow goes on.</summary>
    public WorkflowRest? Rest { get; init; }

    public WorkflowStateName Name => this switch
    {
        { EndedAt: not null, CancelledBy: null } => WorkflowStateName.Completed,
        { EndedAt: not null } => WorkflowStateName.Cancelled,
        { CancelledBy: not null } => WorkflowStateName.Cancelling,
        { PausedBy: not null } => WorkflowStateName.Paused,
        _ => Steps.Any(step => step.Blocks) ? WorkflowStateName.Paused : WorkflowStateName.Running,
    };

    public IEnumerable<StepState> Running => Steps.Where(step => step.Name == StepStateName.Running);

    public static WorkflowState None(WorkflowId id) => new(id);

    public StepState? Find(string step) => Steps.FirstOrDefault(each => each.Spec.Name == step);

    public WorkflowState Apply(IWorkflowEvent change)
    {
        Invariant.Check(Exists != (change is WorkflowAcceptedEvent));
        return change switch
        {
            WorkflowAcceptedEvent e => this with
            {
                Spec = e.Spec,
                AcceptedAt = e.At,
                Steps = [.. e.Spec.Steps.Select(spec => e.Taken.FirstOrDefault(taken => taken.Spec.Name == spec.Name) is { } taken ? taken with { IsTaken = true } : StepState.Of(spec))],
            },
            StepBegunEvent e => Change(e.Step, step => Begin(step, e)),
            StepNotBegunEvent e => Change(e.Step, step => Checked(step, StepStateName.Waiting) with { Name = StepStateName.Failed, Problem = e.Problem, BeganAt = e.At, EndedAt = e.At }).Rested(e.DueAs, e.At),
            StepJobsEndedEvent e => e.Runs.Aggregate(this, (state, run) => state.End(run, e.At)).Rested(e.DueAs, e.At),
            StepsOmittedEvent e => e.Steps.Aggregate(this, (state, name) => state.Change(name, step => Checked(step, StepStateName.Waiting) with { Name = StepStateName.Omitted, EndedAt = e.At })),
            WorkflowPausedEvent e => this with { PausedBy = e.By },
            WorkflowResumedEvent => this with { PausedBy = null, Rest = null, Steps = [.. Steps.Select(step => step.Blocks ? Again(step) : step)] },
            StepRetriedEvent e => (this with { Rest = null }).Change(e.Step, step => Again(Checked(step, StepStateName.Failed))),
            StepSkippedEvent e => (this with { Rest = null }).Change(e.Step, step => Checked(step, StepStateName.Waiting, StepStateName.Failed) with { Name = StepStateName.Skipped, EndedAt = e.At }),
            StepEditedEvent e => (this with { Rest = null }).Change(e.Step.Name, step => Checked(step, StepStateName.Waiting, StepStateName.Failed) with { Spec = e.Step }),
            WorkflowCancelRequestedEvent e => this with { CancelledBy = e.By, Rest = null },
            WorkflowEndedEvent e => (this with { EndedAt = e.At, PausedBy = null, Steps = [.. Steps.Select(step => step.Name == StepStateName.Waiting ? step with { Name = StepStateName.Cancelled } : step)] }).Rested(e.DueAs, e.At),
            WorkflowToldEvent e => Told(e.Delivery),
            _ => throw new InvariantException($"unknown event {change.GetType().Name}"),
        };
    }

    private WorkflowState Rested(long dueAs, DateTimeOffset at)
    {
        if (dueAs == 0)
        {
            return this;
        }

        JobStateName? end = WorkflowDeliveryRules.EndOf(this);
        Invariant.Check(end is not null);
        return this with { Rest = new WorkflowRest(end.Value, at, Delivery.Begun(at, dueAs)) };
    }

    private WorkflowState Told(Delivery delivery)
    {
        Invariant.Check(Rest is not null);
        return this with { Rest = Rest with { Delivery = delivery } };
    }

    private WorkflowState Change(string name, Func<StepState, StepState> change)
    {
        for (int index = 0; index < Steps.Count; index++)
        {
            if (Steps[index].Spec.Name == name)
            {
                return this with { Steps = Steps.SetItem(index, change(Steps[index])) };
            }
        }

        throw new InvariantException($"no step {name}");
    }

    private static StepState Begin(StepState step, StepBegunEvent e)
    {
        Invariant.Check(e.Generation == step.Generation + 1 && !e.Runs.IsEmpty);
        return Checked(step, StepStateName.Waiting) with { Name = StepStateName.Running, Generation = e.Generation, Runs = e.Runs, BeganAt = e.At, EndedAt = null, Problem = null };
    }

    /// <summary>The one place where the result of a job is recorded: once, and of the step that was waiting for it.</summary>
    private WorkflowState End(StepRun over, DateTimeOffset at)
    {
        StepState step = Running.First(each => each.Runs.Any(run => run.JobId == over.JobId));
        ValueList<StepRun> runs = [.. step.Runs.Select(run => run.JobId == over.JobId ? over : run)];
        Invariant.Check(over.End is not null && step.Runs.Single(run => run.JobId == over.JobId).End is null);
        StepState changed = step with { Runs = runs };
        if (runs.All(run => run.End is not null))
        {
            StepRun? bad = runs.FirstOrDefault(run => run.End!.State != JobStateName.Completed);
            StepStateName name = bad is null ? StepStateName.Completed : CancelledBy is not null && bad.End!.State == JobStateName.Cancelled ? StepStateName.Cancelled : StepStateName.Failed;
            changed = changed with { Name = name, EndedAt = at, Problem = bad is null ? null : WorkflowRules.WhyFailed(bad) };
        }

        return Change(step.Spec.Name, _ => changed);
    }

    private static StepState Again(StepState step) => step with { Name = StepStateName.Waiting, Runs = [], Problem = null, BeganAt = null, EndedAt = null };

    private static StepState Checked(StepState step, params ReadOnlySpan<StepStateName> allowed)
    {
        Invariant.Check(allowed.Contains(step.Name) && !step.IsOver);
        return step;
    }
}
