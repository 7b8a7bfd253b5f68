namespace AgentMesh.Node.Control;

/// <summary>POST /v1/crons: a schedule with either <paramref name="Line"/> or <paramref name="Arguments"/>, as in <see cref="CommandRequest"/>.</summary>
/// <param name="Schedule">Five fields, or a name such as @daily: docs/cron.md.</param>
/// <param name="TimeZone">IANA name; that of this device when it is null.</param>
/// <param name="Target">A selector; where it means several devices they are looked for at each time.</param>
/// <param name="Missed">skip, once, all, or "window 2h".</param>
/// <param name="Overlap">skip, allow, buffer or cancel.</param>
/// <param name="PauseAfter">Failures one after the other that disable it; 0 for never.</param>
/// <param name="Replace">Changes the schedule of that name.</param>
/// <param name="JitterMs">It runs up to so much later, always by the same part of it; 0 to 12 hours.</param>
/// <param name="Resources">What each attempt takes on its device, for example gpu=1, mem=8G: docs/placement.md.</param>
/// <param name="Priority">-10 to 10; null is 0.</param>
/// <param name="Group">Whose limits count; null for none.</param>
public sealed record CronRequest(
    string Name,
    string Schedule,
    string? TimeZone = null,
    string? Target = null,
    string? Line = null,
    IReadOnlyList<string>? Arguments = null,
    string? Missed = null,
    string? Overlap = null,
    int? PauseAfter = null,
    int? Attempts = null,
    double? AttemptTimeoutMs = null,
    bool Replace = false,
    double? JitterMs = null,
    IReadOnlyList<string>? Resources = null,
    int? Priority = null,
    string? Group = null)
{
    /// <summary>Variables for a program.</summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>Where a program begins, on its device.</summary>
    public string? Directory { get; init; }

    /// <summary>A URL that is told of its runs: docs/cron.md, "Webhooks"; null for none.</summary>
    public string? Notify { get; init; }

    /// <summary>Of which runs: any (also for null), failure or success.</summary>
    public string? NotifyOn { get; init; }
}

/// <summary>POST /v1/crons/reload: what became of the jobs of CRON.md.</summary>
public sealed record CronFileView(string Path, IReadOnlyList<CronFileEntryView> Entries);

/// <param name="Line">Of the job in the file, from 1; null for one that is not there any more.</param>
/// <param name="What">added, changed, unchanged, removed or problem: the schedule, if there was one, is as before.</param>
public sealed record CronFileEntryView(string? Name, int? Line, string What, ProblemView? Problem);

/// <summary>A schedule as it stands.</summary>
/// <param name="FromFile">It stands in CRON.md, which may change and remove it.</param>
/// <param name="Reason">Why it was disabled, when no person did it.</param>
/// <param name="Next">The next five times; none while it is disabled.</param>
/// <param name="Waiting">A time that was due and waits for the end of a run.</param>
/// <param name="MissedCount">Times that were not run.</param>
/// <param name="Failures">The newest runs, one after the other, that did not complete.</param>
/// <param name="Runs">The newest first.</param>
/// <param name="BackfillLeft">Times of the past that were asked for and are not fired yet.</param>
public sealed record CronView(
    string Name,
    string Id,
    string Schedule,
    string TimeZone,
    string Command,
    string Target,
    string TargetName,
    string Missed,
    string Overlap,
    int PauseAfter,
    double JitterMs,
    bool FromFile,
    bool Enabled,
    ProblemView? Reason,
    DateTimeOffset CreatedAt,
    IReadOnlyList<DateTimeOffset> Next,
    DateTimeOffset? Waiting,
    long Fired,
    long MissedCount,
    int Failures,
    IReadOnlyList<CronRunView> Runs,
    int BackfillLeft = 0,
    string? Resources = null,
    int Priority = 0,
    string? Group = null)
{
    /// <summary>Who is told of its runs; null for nobody.</summary>
    public string? Notify { get; init; }

    /// <summary>any, failure or success.</summary>
    public string? NotifyOn { get; init; }

    /// <summary>The newest attempt to tell a run; null before the first.</summary>
    public DeliveryView? LastDelivery { get; init; }
}

/// <param name="Nominal">When it was due.</param>
/// <param name="Cause">schedule, catchup, reboot, manual or backfill.</param>
/// <param name="State">running until the job came to rest, then its state.</param>
/// <param name="Device">Where it was looked for at that time; null for the device of the schedule.</param>
public sealed record CronRunView(string Job, string ShortJob, DateTimeOffset Nominal, string Cause, DateTimeOffset FiredAt, string State, DateTimeOffset? EndedAt, string? Device = null)
{
    /// <summary>Null where nobody is told of it.</summary>
    public DeliveryView? Delivery { get; init; }
}

/// <summary>POST /v1/cron/backfill: fires times of the past, each once.</summary>
/// <param name="From">2026-03-01, 2026-03-01T04:30 (as the clocks of the schedule show it), or with an offset.</param>
/// <param name="DryRun">Nothing is fired.</param>
public sealed record BackfillRequest(string? From, string? To, bool DryRun = false);

/// <param name="Times">What is, or would be, fired; at most 1,000.</param>
public sealed record CronBackfillView(string Name, string TimeZone, bool DryRun, IReadOnlyList<DateTimeOffset> Times);

/// <summary>POST /v1/cron/remove.</summary>
public sealed record CronRemovedView(string Name);
