using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>A schedule: the fold of its events. Immutable; knows no actor and no clock.</summary>
/// <remarks>
/// <code>
/// from       on                                                         to
/// (none)     created                                                    enabled
/// enabled    updated, fired, missed, buffered, a run ended              enabled
/// enabled    disabled: by a person, by failures, by an unknown zone     disabled
/// disabled   enabled by a person; updated                               enabled
/// any        removed                                                    (none), and a new one may have the name
/// </code>
/// </remarks>
public sealed record CronState
{
    /// <summary>Runs that are over and still shown.</summary>
    public const int RunsKept = 20;

    private CronState(CronId cronId) => CronId = cronId;

    public CronId CronId { get; }

    /// <summary>Null before the first event and after removal.</summary>
    public CronSpec? Spec { get; init; }

    public bool Exists => Spec is not null;

    public bool IsEnabled { get; init; }

    public Problem? Reason { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts creations and changes, and outlives removal: the jobs of one version are never taken for those of another.</summary>
    public int Version { get; init; }

    /// <summary>Nothing up to here is fired any more.</summary>
    public DateTimeOffset Cursor { get; init; }

    /// <summary>The life of the node in which <c>@reboot</c> has had its turn.</summary>
    public long Life { get; init; }

    public long Fired { get; init; }

    public long Missed { get; init; }

    public int Failures { get; init; }

    /// <summary>A time that was due and waits until no run is out.</summary>
    public DateTimeOffset? Buffered { get; init; }

    /// <summary>Times of the past that are still to be fired; null for none.</summary>
    public CronBackfill? Backfill { get; init; }

    /// <summary>The newest first.</summary>
    public ImmutableList<CronRun> Runs { get; init; } = [];

    /// <summary>The newest attempt to tell a run; null before the first.</summary>
    public CronLastDelivery? LastDelivery { get; init; }

    /// <summary>Runs that are to be told, the newest first.</summary>
    public IEnumerable<CronRun> Due => Runs.Where(run => run.Delivery is { IsDue: true });

    public IEnumerable<CronRun> Running => Runs.Where(run => !run.IsOver);

    public static CronState None(CronId cronId) => new(cronId);

    public CronState Apply(ICronEvent change)
    {
        Invariant.Check(Exists != (change is CronCreatedEvent));
        return change switch
        {
            CronCreatedEvent e => None(CronId) with { Spec = e.Spec, IsEnabled = true, CreatedAt = e.At, Version = Version + 1, Cursor = e.At, Life = e.Life },
            CronUpdatedEvent e => this with { Spec = e.Spec, IsEnabled = true, Reason = null, Version = Version + 1, Cursor = Later(e.At), Life = e.Life, Failures = 0, Buffered = null, Backfill = null },
            CronEnabledEvent e => this with { IsEnabled = true, Reason = null, Cursor = Later(e.At), Life = e.Life, Failures = 0 },
            CronDisabledEvent e => this with { IsEnabled = false, Reason = e.Reason, Missed = Missed + (Buffered is null ? 0 : 1), Buffered = null, Backfill = null },
            CronFiredEvent e => Fire(e),
            CronMissedEvent e => this with { Missed = Missed + e.Count, Cursor = e.Through, Life = e.Life },
            CronBufferedEvent e => this with { Cursor = e.Nominal, Missed = Missed + (Buffered is null ? 0 : 1), Buffered = e.Nominal },
            CronBackfillEvent e => this with { Backfill = e.Backfill.Left > 0 ? e.Backfill : null },
            CronRunEndedEvent e => End(e),
            CronDeliveryEvent e => this with { Runs = Shorten(Runs.Select(run => run.JobId == e.JobId ? run with { Delivery = e.Delivery with { Report = e.Delivery.IsDue ? run.Delivery?.Report : null } } : run)), LastDelivery = new CronLastDelivery(e.JobId, e.Delivery) },
            CronRemovedEvent => None(CronId) with { Version = Version },
            _ => throw new InvariantException($"unknown event {change.GetType().Name}"),
        };
    }

    // A clock that was put back must not bring back times that were fired; one that was a day and more ahead is not believed any more.
    private DateTimeOffset Later(DateTimeOffset at) => Cursor > at && Cursor <= at + CronRules.ClockBackMax ? Cursor : at;

    private CronState Fire(CronFiredEvent e) => this with
    {
        Fired = Fired + (e.Targets is { Count: 0 } ? 0 : 1),
        Missed = Missed + (e.Targets is { Count: 0 } ? 1 : 0),
        Backfill = e.Cause == CronCause.Backfill && Backfill is { Left: > 1 } more ? more with { After = e.Nominal, Left = more.Left - 1 } : e.Cause == CronCause.Backfill ? null : Backfill,
        Cursor = e.Cause is CronCause.Schedule or CronCause.CatchUp && e.Nominal != Buffered ? e.Nominal : Cursor,
        Buffered = e.Cause == CronCause.Schedule && e.Nominal == Buffered ? null : Buffered,
        Life = e.Cause == CronCause.Reboot ? e.Life : Life,
        Runs = Runs.InsertRange(0, e.Targets is { } targets
            ? targets.Select(each => new CronRun(each.JobId, e.Nominal, e.Cause, e.At, null, null) { Target = each.Target })
            : [new CronRun(e.JobId, e.Nominal, e.Cause, e.At, null, null)]),
    };

    private CronState End(CronRunEndedEvent e) => this with
    {
        Runs = Shorten(Runs.Select(run => run.JobId == e.JobId ? run with { Ended = e.State, EndedAt = e.At, Delivery = e.Report is { } report ? Delivery.Begun(e.At) with { Report = report } : null } : run)),

        // Cancelled is what a person did, and tells nothing of the command.
        Failures = e.State switch { JobStateName.Completed => 0, JobStateName.Cancelled => Failures, _ => Failures + 1 },
    };

    private static ImmutableList<CronRun> Shorten(IEnumerable<CronRun> runs)
    {
        int kept = 0;
        return [.. runs.Where(run => !run.IsOver || ++kept <= RunsKept || run.Delivery is { IsDue: true })];
    }
}
