using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>What becomes of times that passed while nobody could fire. The numbers are on disk.</summary>
public enum CronMissed
{
    /// <summary>Counted, not run.</summary>
    Skip = 1,

    /// <summary>One run stands for all of them.</summary>
    Once = 2,

    /// <summary>Each is run, the oldest first, up to the newest <see cref="CronRules.CatchUpMax"/>.</summary>
    All = 3,

    /// <summary>As <see cref="All"/>, of those that are no older than <see cref="CronSpec.Window"/>; older ones are counted only.</summary>
    Window = 4,
}

/// <summary>What becomes of a time at which an earlier run is not over. The numbers are on disk.</summary>
public enum CronOverlap
{
    /// <summary>Counted as missed. Missed times that are made up for wait instead.</summary>
    Skip = 1,

    /// <summary>Runs beside the earlier one, up to <see cref="CronRules.RunningMax"/>.</summary>
    Allow = 2,

    /// <summary>Waits until the earlier run is over; a further time takes its place, and it is missed.</summary>
    Buffer = 3,

    /// <summary>As <see cref="Buffer"/>, and the earlier run is cancelled.</summary>
    Cancel = 4,
}

/// <summary>Everything about a schedule that its owner decides.</summary>
/// <param name="Schedule">See <see cref="CronExpression"/>.</param>
/// <param name="Zone">IANA name of the time zone whose clocks count.</param>
/// <param name="Job">What is submitted at each fire, with an idempotency key of its own each time.</param>
/// <param name="PauseAfter">Failures one after the other that disable the schedule; 0 for never.</param>
public sealed record CronSpec(string Schedule, string Zone, JobSpec Job, CronMissed Missed, CronOverlap Overlap, int PauseAfter)
{
    public const int PauseAfterMax = 1_000;

    public static readonly TimeSpan JitterMax = TimeSpan.FromHours(12);

    /// <summary>
    /// It runs up to so much after its times: always by the same part of it, which follows from the device and the name, so that the schedules of many devices do not
    /// all run at once. Milliseconds count.
    /// </summary>
    public TimeSpan Jitter { get; init; }

    public static readonly TimeSpan WindowMin = TimeSpan.FromMinutes(1);

    public static readonly TimeSpan WindowMax = TimeSpan.FromDays(31);

    /// <summary>Of <see cref="CronMissed.Window"/>; zero for the other policies.</summary>
    public TimeSpan Window { get; init; }

    /// <summary>Looked for at each time; null for the device of <see cref="Job"/>.</summary>
    public CronTargets? Targets { get; init; }

    /// <summary>Who is told of its runs; null for nobody.</summary>
    public Notify? Notify { get; init; }

    /// <summary>It stands in the <c>CRON.md</c> of its device, which may change and remove it.</summary>
    public bool IsFromFile { get; init; }
}
