using System.Collections.Frozen;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Manifests of a schedule's events. The index of the journal keeps the last one of each entity.</summary>
public static class CronManifests
{
    public const string Created = "cron-event.created.1";
    public const string Updated = "cron-event.updated.1";
    public const string Enabled = "cron-event.enabled.1";
    public const string Disabled = "cron-event.disabled.1";
    public const string Fired = "cron-event.fired.1";
    public const string Missed = "cron-event.missed.1";
    public const string Buffered = "cron-event.buffered.1";
    public const string Backfill = "cron-event.backfill.1";
    public const string RunEnded = "cron-event.run-ended.1";
    public const string Delivery = "cron-event.delivery.1";
    public const string Removed = "cron-event.removed.1";
    public const string Snapshot = "cron-snapshot.1";

    /// <summary>Last events of schedules that are no more. A disabled one is woken too: a run of it may not be over.</summary>
    public static IReadOnlySet<string> Gone { get; } = FrozenSet.Create(StringComparer.Ordinal, Removed);
}
