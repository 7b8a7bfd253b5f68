using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>What is sent: how a job, an array or a workflow came to rest.</summary>
/// <param name="DeliveryId">The same for each attempt, also after a crash, and for no other end.</param>
/// <param name="JobId">None for an array or a workflow.</param>
/// <param name="Attempt">To deliver it, from 1.</param>
public sealed record Parcel(string DeliveryId, string Url, JobId JobId, JobStateName State, EndReport Report, int Attempt)
{
    /// <summary>The run of a schedule that it is; null for a job of its own.</summary>
    public ScheduledRun? Scheduled { get; init; }

    /// <summary>The array that it is; null for a job.</summary>
    public ToldArray? Array { get; init; }

    /// <summary>The workflow that it is; null for a job.</summary>
    public ToldWorkflow? Workflow { get; init; }

    /// <summary>The idempotency key of the job, array or workflow; null where it has none, and for a run.</summary>
    public string? Key { get; init; }
}

/// <summary>How the elements of an array ended.</summary>
/// <param name="Worst">The first of those that did not complete, <see cref="ArrayDeliveryRules.NamedMax"/> at most.</param>
public sealed record ToldArray(ArrayId ArrayId, int Count, int Completed, int Failed, int Cancelled, ValueList<ElementView> Worst);

/// <summary>How the steps of a workflow ended.</summary>
/// <param name="Count">Of all steps; those that neither completed nor failed were left out, skipped, cancelled, or wait.</param>
/// <param name="FailedSteps">The first of them, <see cref="WorkflowDeliveryRules.NamedMax"/> at most.</param>
public sealed record ToldWorkflow(WorkflowId WorkflowId, string Name, int Count, int Completed, int Failed, ValueList<ToldStep> FailedSteps);

/// <summary>A step that failed.</summary>
/// <param name="IsAllowed">It may: the workflow goes on.</param>
/// <param name="JobId">The first of its jobs that did not complete; none where the step could not begin.</param>
public sealed record ToldStep(string Name, bool IsAllowed, JobId JobId, string? DeviceName, int? ExitCode, Problem? Problem);

/// <summary>Which run of which schedule.</summary>
public sealed record ScheduledRun(CronId CronId, CronRun Run);

/// <summary>Sends once. What goes wrong is an answer; it throws only when it is cancelled.</summary>
public delegate Task<DeliveryAnswer> DeliverParcel(Parcel parcel, CancellationToken cancellationToken);
