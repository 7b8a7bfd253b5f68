using System.Collections.Frozen;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Manifests of an array's events. The index of the journal keeps the last one of each entity.</summary>
public static class ArrayManifests
{
    public const string Accepted = "array-event.accepted.1";
    public const string Placed = "array-event.placed.1";
    public const string Moving = "array-event.moving.1";
    public const string Released = "array-event.released.1";
    public const string ElementsEnded = "array-event.elements-ended.1";
    public const string CancelRequested = "array-event.cancel-requested.1";
    public const string Ended = "array-event.ended.1";
    public const string Retried = "array-event.retried.1";
    public const string Snapshot = "array-snapshot.1";

    // Of an array whose end is told: names of their own, as those of such a job in JobManifests.
    public const string AcceptedToTell = "array-event.accepted-to-tell.1";
    public const string EndedToTell = "array-event.ended-to-tell.1";
    public const string Telling = "array-event.ended-telling.1";
    public const string Told = "array-event.ended-told.1";
    public const string SnapshotToTell = "array-snapshot-to-tell.1";

    /// <summary>Last events of arrays that are over and of which nothing is to be told: a restarted node does not wake them.</summary>
    public static IReadOnlySet<string> AtRest { get; } = FrozenSet.Create(StringComparer.Ordinal, Ended, Told);
}
