using System.Collections.Frozen;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Manifests of a job's events. The index of the journal keeps the last one of each entity, and it alone tells the state of the job.</summary>
public static class JobManifests
{
    public const string AcceptedQueued = "job-event.accepted-queued.1";
    public const string AcceptedPlaced = "job-event.accepted-placed.1";
    public const string Released = "job-event.released.1";
    public const string Placed = "job-event.placed.1";
    public const string Checkpointed = "job-event.checkpointed.1";
    public const string Retrying = "job-event.retrying.1";
    public const string Paused = "job-event.paused.1";
    public const string Completed = "job-event.completed.1";
    public const string Failed = "job-event.failed.1";
    public const string CancelRequested = "job-event.cancel-requested.1";
    public const string Cancelled = "job-event.cancelled.1";
    public const string Retried = "job-event.retried.1";
    public const string Snapshot = "job-snapshot.1";

    private static readonly FrozenDictionary<string, JobStateName> States = new Dictionary<string, JobStateName>(StringComparer.Ordinal)
    {
        [AcceptedQueued] = JobStateName.Queued,
        [AcceptedPlaced] = JobStateName.Running,
        [Released] = JobStateName.Queued,
        [Placed] = JobStateName.Running,
        [Checkpointed] = JobStateName.Running,
        [Retrying] = JobStateName.Retrying,
        [Paused] = JobStateName.Paused,
        [Completed] = JobStateName.Completed,
        [Failed] = JobStateName.Failed,
        [CancelRequested] = JobStateName.Running,
        [Cancelled] = JobStateName.Cancelled,
        [Retried] = JobStateName.Queued,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Last events of jobs at rest: a restarted node does not wake them.</summary>
    public static IReadOnlySet<string> AtRest { get; } = States.Where(pair => pair.Value.IsAtRest()).Select(pair => pair.Key).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Last events of jobs that have ended: nothing is to be decided about them.</summary>
    public static IReadOnlySet<string> Ended { get; } = FrozenSet.Create(StringComparer.Ordinal, Completed, Failed, Cancelled);

    /// <summary>
    /// The state after the last event, as far as the journal knows: Running stands for Placing and Running. Null for a manifest of a newer version.
    /// </summary>
    public static JobStateName? StateAfter(string lastManifest) => States.TryGetValue(lastManifest, out JobStateName state) ? state : null;

    /// <summary>The manifests after which a job is in the state.</summary>
    public static IReadOnlySet<string> Of(JobStateName state) => States.Where(pair => pair.Value == state).Select(pair => pair.Key).ToFrozenSet(StringComparer.Ordinal);
}
