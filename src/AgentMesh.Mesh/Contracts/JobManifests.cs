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

    // Of a job whose end is told. Names of their own: a version that does not know that does not read them, where it would end the job and tell nobody.
    public const string AcceptedQueuedToTell = "job-event.accepted-queued-to-tell.1";
    public const string AcceptedPlacedToTell = "job-event.accepted-placed-to-tell.1";
    public const string SnapshotToTell = "job-snapshot-to-tell.1";

    /// <summary>The states that are told.</summary>
    internal static readonly JobStateName[] Ends = [JobStateName.Paused, JobStateName.Completed, JobStateName.Failed, JobStateName.Cancelled];

    private static readonly FrozenDictionary<string, JobStateName> States = new Dictionary<string, JobStateName>(
        Ends.SelectMany(state => ((string[])[Due(state), Told(state, isDue: true), Told(state, isDue: false)]).Select(manifest => KeyValuePair.Create(manifest, state))), StringComparer.Ordinal)
    {
        [AcceptedQueuedToTell] = JobStateName.Queued,
        [AcceptedPlacedToTell] = JobStateName.Running,
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

    private static readonly FrozenSet<string> StillToTell = Ends.SelectMany(state => (string[])[Due(state), Told(state, isDue: true)]).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Last events of jobs at rest of which nothing is to be told: a restarted node does not wake them.</summary>
    public static IReadOnlySet<string> AtRest { get; } = States.Where(pair => pair.Value.IsAtRest() && !StillToTell.Contains(pair.Key)).Select(pair => pair.Key).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Last events of jobs that have ended: nothing is to be decided about them, nor told.</summary>
    public static IReadOnlySet<string> Over { get; } = AtRest.Where(manifest => States[manifest] != JobStateName.Paused).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>
    /// The state after the last event, as far as the journal knows: Running stands for Placing and Running. Null for a manifest of a newer version.
    /// </summary>
    public static JobStateName? StateAfter(string lastManifest) => States.TryGetValue(lastManifest, out JobStateName state) ? state : null;

    /// <summary>The manifests after which a job is in the state.</summary>
    public static IReadOnlySet<string> Of(JobStateName state) => States.Where(pair => pair.Value == state).Select(pair => pair.Key).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Of the event that ends a job so that its end is to be told.</summary>
    internal static string Due(JobStateName state) => $"job-event.{Word(state)}-to-tell.1";

    /// <summary>Of an attempt to tell an end.</summary>
    internal static string Told(JobStateName state, bool isDue) => isDue ? $"job-event.{Word(state)}-telling.1" : $"job-event.{Word(state)}-told.1";

    internal static string Ended(JobStateName state, bool isDue) => isDue ? Due(state) : state switch
    {
        JobStateName.Paused => Paused,
        JobStateName.Completed => Completed,
        JobStateName.Failed => Failed,
        _ => Cancelled,
    };

    internal static string Of(AcceptedEvent accepted) => (accepted.Placement, accepted.Spec.Notify) switch
    {
        (null, null) => AcceptedQueued,
        (null, _) => AcceptedQueuedToTell,
        (_, null) => AcceptedPlaced,
        _ => AcceptedPlacedToTell,
    };

    private static string Word(JobStateName state) => state.ToString().ToLowerInvariant();
}
