using System.Collections.Frozen;
using AgentMesh.Mesh.Workflows;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Manifests of a workflow's events. The index of the journal keeps the last one of each entity.</summary>
public static class WorkflowManifests
{
    public const string Accepted = "workflow-event.accepted.1";
    public const string Begun = "workflow-event.begun.1";
    public const string NotBegun = "workflow-event.not-begun.1";
    public const string JobsEnded = "workflow-event.jobs-ended.1";
    public const string Omitted = "workflow-event.omitted.1";
    public const string Paused = "workflow-event.paused.1";
    public const string Resumed = "workflow-event.resumed.1";
    public const string Retried = "workflow-event.retried.1";
    public const string Skipped = "workflow-event.skipped.1";
    public const string Edited = "workflow-event.edited.1";
    public const string CancelRequested = "workflow-event.cancel-requested.1";
    public const string Ended = "workflow-event.ended.1";
    public const string Snapshot = "workflow-snapshot.1";

    // Of a workflow whose rest is told: names of their own, as those of such a job in JobManifests.
    public const string AcceptedToTell = "workflow-event.accepted-to-tell.1";
    public const string NotBegunToTell = "workflow-event.not-begun-to-tell.1";
    public const string JobsEndedToTell = "workflow-event.jobs-ended-to-tell.1";
    public const string EndedToTell = "workflow-event.ended-to-tell.1";
    public const string EndedTelling = "workflow-event.ended-telling.1";
    public const string EndedTold = "workflow-event.ended-told.1";
    public const string PausedTelling = "workflow-event.paused-telling.1";
    public const string PausedTold = "workflow-event.paused-told.1";
    public const string SnapshotToTell = "workflow-snapshot-to-tell.1";

    /// <summary>Last events of workflows that are over and of which nothing is to be told: a restarted node does not wake them.</summary>
    public static IReadOnlySet<string> AtRest { get; } = FrozenSet.Create(StringComparer.Ordinal, Ended, EndedTold);

    internal static string Of(WorkflowToldEvent told) => (told.IsOver, told.Delivery.IsDue) switch
    {
        (true, true) => EndedTelling,
        (true, false) => EndedTold,
        (false, true) => PausedTelling,
        (false, false) => PausedTold,
    };
}
