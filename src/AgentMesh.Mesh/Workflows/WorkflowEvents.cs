using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Workflows;

/// <summary>What became of the job of a step; it does not change.</summary>
/// <param name="State">In which the job came to rest.</param>
/// <param name="Result">What later steps can name; null where there is more than <see cref="WorkflowSpec.ValueBytesMax"/>.</param>
/// <param name="ResultBytes">Of the whole result.</param>
public sealed record StepRunEnd(JobStateName State, int? ExitCode, Problem? Problem, string? Result, long ResultBytes, DateTimeOffset EndedAt)
{
    public ValueList<ArtifactRef> Artifacts { get; init; }
}

/// <summary>The job of a step on one device.</summary>
/// <param name="End">Null while it is not over.</param>
public sealed record StepRun(JobId JobId, DeviceId Device, string DeviceName, StepRunEnd? End = null);

/// <summary>What the journal of a workflow holds. At the time of the home's clock.</summary>
public interface IWorkflowEvent
{
    DateTimeOffset At { get; }
}

/// <param name="Taken">Steps that are over already, with their results: of the workflow that this one was forked from.</param>
public sealed record WorkflowAcceptedEvent(DateTimeOffset At, WorkflowSpec Spec, ValueList<StepState> Taken) : IWorkflowEvent;

/// <summary>Written before the jobs are submitted.</summary>
/// <param name="Generation">From 1; one more for each time the step begins anew, with other jobs.</param>
public sealed record StepBegunEvent(DateTimeOffset At, string Step, int Generation, ValueList<StepRun> Runs) : IWorkflowEvent;

/// <summary>Its turn came, and it cannot begin.</summary>
public sealed record StepNotBegunEvent(DateTimeOffset At, string Step, Problem Problem) : IWorkflowEvent
{
    /// <inheritdoc cref="WorkflowEndedEvent.DueAs"/>
    public long DueAs { get; init; }
}

public sealed record StepJobsEndedEvent(DateTimeOffset At, ValueList<StepRun> Runs) : IWorkflowEvent
{
    /// <inheritdoc cref="WorkflowEndedEvent.DueAs"/>
    public long DueAs { get; init; }
}

/// <summary>What they need can never be any more.</summary>
public sealed record StepsOmittedEvent(DateTimeOffset At, ValueList<string> Steps) : IWorkflowEvent;

/// <summary>No step begins until somebody resumes it.</summary>
public sealed record WorkflowPausedEvent(DateTimeOffset At, Caller By) : IWorkflowEvent;

/// <summary>Steps that failed begin again.</summary>
public sealed record WorkflowResumedEvent(DateTimeOffset At, Caller By) : IWorkflowEvent;

public sealed record StepRetriedEvent(DateTimeOffset At, string Step, Caller By) : IWorkflowEvent;

/// <summary>It is taken for done.</summary>
public sealed record StepSkippedEvent(DateTimeOffset At, string Step, Caller By) : IWorkflowEvent;

public sealed record StepEditedEvent(DateTimeOffset At, StepSpec Step, Caller By) : IWorkflowEvent;

/// <summary>From here on no step begins.</summary>
public sealed record WorkflowCancelRequestedEvent(DateTimeOffset At, Caller By) : IWorkflowEvent;

/// <summary>Nothing of it runs, and nothing will.</summary>
public sealed record WorkflowEndedEvent(DateTimeOffset At) : IWorkflowEvent
{
    /// <summary>Where it brings the workflow to a rest that is to be told, its number in the journal; 0 otherwise.</summary>
    public long DueAs { get; init; }
}

/// <summary>An attempt to tell the rest of the workflow to its URL has ended.</summary>
/// <param name="IsOver">The workflow has ended; false for one that stopped at a step that failed.</param>
public sealed record WorkflowToldEvent(DateTimeOffset At, bool IsOver, Delivery Delivery) : IWorkflowEvent;
