using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>What is sent: how a job or an array came to rest.</summary>
/// <param name="DeliveryId">The same for each attempt, also after a crash, and for no other end.</param>
/// <param name="JobId">None for an array.</param>
/// <param name="Attempt">To deliver it, from 1.</param>
public sealed record Parcel(string DeliveryId, string Url, JobId JobId, JobStateName State, EndReport Report, int Attempt)
{
    /// <summary>The run of a schedule that it is; null for a job of its own.</summary>
    public ScheduledRun? Scheduled { get; init; }

    /// <summary>The array that it is; null for a job.</summary>
    public ToldArray? Array { get; init; }

    /// <summary>The idempotency key of the job or array; null where it has none, and for a run.</summary>
    public string? Key { get; init; }
}

/// <summary>How the elements of an array ended.</summary>
/// <param name="Worst">The first of those that did not complete, <see cref="ArrayDeliveryRules.NamedMax"/> at most.</param>
public sealed record ToldArray(ArrayId ArrayId, int Count, int Completed, int Failed, int Cancelled, ValueList<ElementView> Worst);

/// <summary>Which run of which schedule.</summary>
public sealed record ScheduledRun(CronId CronId, CronRun Run);

/// <summary>Sends once. What goes wrong is an answer; it throws only when it is cancelled.</summary>
public delegate Task<DeliveryAnswer> DeliverParcel(Parcel parcel, CancellationToken cancellationToken);
