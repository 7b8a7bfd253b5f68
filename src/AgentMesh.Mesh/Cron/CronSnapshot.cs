using System.Collections.Immutable;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>A <see cref="CronState"/> as the snapshot store keeps it.</summary>
/// <param name="Spec">Null after removal.</param>
public sealed record CronSnapshot(
    CronSpec? Spec, bool IsEnabled, Problem? Reason, DateTimeOffset CreatedAt, int Version, DateTimeOffset Cursor, long Life, long Fired, long Missed, int Failures, DateTimeOffset? Buffered, ImmutableArray<CronRun> Runs)
{
    public CronBackfill? Backfill { get; init; }

    public CronLastDelivery? LastDelivery { get; init; }

    public static CronSnapshot Of(CronState s) => new(s.Spec, s.IsEnabled, s.Reason, s.CreatedAt, s.Version, s.Cursor, s.Life, s.Fired, s.Missed, s.Failures, s.Buffered, [.. s.Runs]) { Backfill = s.Backfill, LastDelivery = s.LastDelivery };

    public CronState ToState(CronId id) => CronState.None(id) with
    {
        Spec = Spec,
        IsEnabled = IsEnabled,
        Reason = Reason,
        CreatedAt = CreatedAt,
        Version = Version,
        Cursor = Cursor,
        Life = Life,
        Fired = Fired,
        Missed = Missed,
        Failures = Failures,
        Buffered = Buffered,
        Runs = [.. Runs],
        Backfill = Backfill,
        LastDelivery = LastDelivery,
    };

    public bool Equals(CronSnapshot? other) =>
        other is not null && Spec == other.Spec && IsEnabled == other.IsEnabled && Reason == other.Reason && CreatedAt == other.CreatedAt && Version == other.Version && Cursor == other.Cursor
        && Life == other.Life && Fired == other.Fired && Missed == other.Missed && Failures == other.Failures && Buffered == other.Buffered && Backfill == other.Backfill && LastDelivery == other.LastDelivery && Runs.AsSpan().SequenceEqual(other.Runs.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Spec?.Schedule, Version, Cursor, Fired);
}
