using System.Collections.Frozen;

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

    /// <summary>Last events of workflows that are over: a restarted node does not wake them.</summary>
    public static IReadOnlySet<string> AtRest { get; } = FrozenSet.Create(StringComparer.Ordinal, Ended);
}
