using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron;

/// <summary>What a home decides about a schedule. Pure: the state and the time in, the event to be journalled out.</summary>
public static class CronRules
{
    /// <summary>Schedules of one device.</summary>
    public const int PerDeviceMax = 1_000;

    /// <summary>Missed times that <see cref="CronMissed.All"/> makes up for; older ones are counted only.</summary>
    public const int CatchUpMax = 100;

    /// <summary>Runs of one schedule at the same time; more are missed.</summary>
    public const int RunningMax = 100;

    /// <summary>Missed times are counted up to here.</summary>
    public const int CountMax = 10_000;

    private const int UpcomingShown = 5;

    /// <summary>A time that is noticed later than this was missed.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromMinutes(1);

    /// <summary>A clock that is put back by less keeps the schedule waiting until it shows again what it has shown.</summary>
    public static readonly TimeSpan ClockBackMax = TimeSpan.FromDays(1);

    // The clock of the node may be set at any time: it is looked at so often.
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(5);

    /// <summary>What has to be journalled now; null for nothing.</summary>
    /// <param name="life">Of the node.</param>
    public static ICronEvent? Next(CronState cron, DateTimeOffset now, long life)
    {
        if (!cron.Exists || !cron.IsEnabled)
        {
            return null;
        }

        CronSpec spec = cron.Spec!;
        if (spec.PauseAfter > 0 && cron.Failures >= spec.PauseAfter)
        {
            return new CronDisabledEvent(now, new Problem(MeshErrors.CronPaused, $"the last {cron.Failures} runs failed", $"'agentmesh cron show {cron.CronId.Name}' names their jobs; 'agentmesh cron enable {cron.CronId.Name}' begins again"));
        }

        if (!TryRead(spec, out CronExpression? expression, out TimeZoneInfo? zone, out Problem? unreadable))
        {
            return new CronDisabledEvent(now, unreadable);
        }

        bool isBusy = cron.Running.Take(RunningMax).Count() >= (spec.Overlap == CronOverlap.Allow ? RunningMax : 1);
        if (expression.IsReboot)
        {
            return life == cron.Life ? null : isBusy ? new CronMissedEvent(now, cron.Cursor, 1, CronMissedReason.Overlap, life) : Fire(cron, now, now, CronCause.Reboot, life);
        }

        if (cron.Buffered is { } waiting && !isBusy)
        {
            return Fire(cron, waiting, now, CronCause.Schedule, life);
        }

        DateTimeOffset clock = now - DelayOf(cron);
        return Due.Between(expression, zone, CursorOf(cron, clock), clock) is { Newest: not [] } due ? AtDue(cron, due, isBusy, clock, now, life) : AtBackfill(cron, expression, zone, isBusy, now, life);
    }

    /// <summary>The devices of a fire, and a job for each of them; as it is where they are not looked for.</summary>
    public static CronFiredEvent For(CronState cron, CronFiredEvent fire, ChooseCronTargets choose)
    {
        if (cron.Spec!.Targets is not { } wanted)
        {
            return fire;
        }

        // The first has the id of the time itself, by which a repeat is known.
        JobTarget[] targets = [.. choose(wanted, cron.Spec.Job.Needs.Resources).Take(CronTargets.Max)];
        return fire with { Targets = [.. targets.Select((target, index) => new CronTarget(index == 0 ? fire.JobId : JobIdOf(cron, $"{fire.JobId}/{target.Device}"), target))] };
    }

    /// <summary>After what is due now, the times of the past that a person asked for.</summary>
    private static ICronEvent? AtBackfill(CronState cron, CronExpression expression, TimeZoneInfo zone, bool isBusy, DateTimeOffset now, long life)
    {
        if (isBusy || cron.Backfill is not { } backfill)
        {
            return null;
        }

        if (expression.NextAfter(backfill.After, zone) is not { } next || next > backfill.To)
        {
            return new CronBackfillEvent(now, backfill with { Left = 0 });
        }

        // One that is known has had its run; what is not known any more has its job, and the same id.
        CronFiredEvent fire = Fire(cron, next, now, CronCause.Backfill, life);
        return cron.Runs.Exists(run => run.JobId == fire.JobId) ? new CronBackfillEvent(now, backfill with { After = next, Left = backfill.Left - 1 }) : fire;
    }

    /// <summary>How much later than its times it runs.</summary>
    internal static TimeSpan DelayOf(CronState cron)
    {
        var jitter = (ulong)cron.Spec!.Jitter.TotalMilliseconds;
        return jitter == 0
            ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(cron.CronId.ToString()))) % jitter);
    }

    /// <summary>A person asks for a run.</summary>
    public static CronFiredEvent Manual(CronState cron, string key, DateTimeOffset now, long life) =>
        new(now, now, JobIdOf(cron, KeyOf(cron, "run-" + key)), CronCause.Manual, life);

    /// <summary>The job of a fire. It waits for a device that is away.</summary>
    public static SubmitJob Submission(CronState cron, CronRun run) => new(run.JobId, cron.Spec!.Job with { QueueWhenOffline = true, Target = run.Target ?? cron.Spec.Job.Target });

    /// <summary>How long nothing changes by time alone.</summary>
    public static TimeSpan UntilNextLook(CronState cron, DateTimeOffset now)
    {
        if (!cron.Exists || !cron.IsEnabled || !TryRead(cron.Spec!, out CronExpression? expression, out TimeZoneInfo? zone, out _))
        {
            return LookMax;
        }

        DateTimeOffset clock = now - DelayOf(cron), cursor = CursorOf(cron, clock);
        TimeSpan wait = (expression.NextAfter(cursor > clock ? cursor : clock, zone) ?? DateTimeOffset.MaxValue) - clock;
        return wait > LookMax ? LookMax : wait < LookMin ? LookMin : wait;
    }

    public static CronView View(CronState cron, DateTimeOffset now)
    {
        List<DateTimeOffset> next = [];
        if (cron.IsEnabled && TryRead(cron.Spec!, out CronExpression? expression, out TimeZoneInfo? zone, out _))
        {
            TimeSpan delay = DelayOf(cron);
            DateTimeOffset clock = now - delay, cursor = CursorOf(cron, clock);
            DateTimeOffset? at = cursor > clock ? cursor : clock;
            while (next.Count < UpcomingShown && (at = expression.NextAfter(at.Value, zone)) is { } time)
            {
                next.Add(time + delay);
            }
        }

        return new CronView(cron.CronId, cron.Spec!, cron.IsEnabled, cron.Reason, cron.CreatedAt, cron.Fired, cron.Missed, cron.Failures, [.. cron.Runs.Select(WithoutReport)], [.. next], cron.Buffered) { BackfillLeft = cron.Backfill?.Left ?? 0, LastDelivery = cron.LastDelivery };
    }

    /// <summary>What is told has its place in the journal; who asks for a schedule wants to know whether it was.</summary>
    private static CronRun WithoutReport(CronRun run) => run.Delivery is { Report: not null } delivery ? run with { Delivery = delivery with { Report = null } } : run;

    /// <exception cref="MeshException">AM0340, AM0341: the schedule. AM0345: no such time zone. AM0348: too much jitter. AM0632: the URL.</exception>
    public static void Check(CronSpec spec)
    {
        if (spec.Jitter < TimeSpan.Zero || spec.Jitter > CronSpec.JitterMax)
        {
            throw new MeshException(MeshErrors.BadJitter, $"a jitter is 0 to {CronSpec.JitterMax.TotalHours:0} h", "for example --jitter 10m");
        }

        if (spec.Missed == CronMissed.Window && (spec.Window < CronSpec.WindowMin || spec.Window > CronSpec.WindowMax))
        {
            throw new MeshException(MeshErrors.BadJitter, $"a window is {CronSpec.WindowMin.TotalMinutes:0} min to {CronSpec.WindowMax.TotalDays:0} days", "for example --missed 'window 2h'");
        }

        if (spec.Notify is { } notify)
        {
            NotifyUrl.Parse(notify.Url);
        }

        if (!TryRead(spec, out _, out _, out Problem? problem))
        {
            throw new MeshException(problem.Code, problem.Text, problem.NextStep ?? "");
        }
    }

    private static ICronEvent? AtDue(CronState cron, Due due, bool isBusy, DateTimeOffset clock, DateTimeOffset now, long life)
    {
        DateTimeOffset newest = due.Newest[^1];
        int onTime = due.Newest.Count(time => clock - time <= LateAfter), late = due.Total - onTime;
        switch (cron.Spec!.Missed)
        {
            // Where one run stands for all, one that is on time does too.
            case CronMissed.Skip or CronMissed.Once when late > 0 && (onTime > 0 || cron.Spec.Missed == CronMissed.Skip):
                return Miss(due.Newest[^(onTime + 1)], late);
            case CronMissed.Once when late > 1:
                return Miss(due.Newest[^2], late - 1);
            case CronMissed.All or CronMissed.Window when due.Total > due.Newest.Length:
                return Miss(due.Newest[0].AddSeconds(-1), due.Total - due.Newest.Length);
            case CronMissed.Window when due.Newest.Count(time => clock - time > cron.Spec.Window) is var old and > 0:
                return Miss(due.Newest[old - 1], old);
        }

        DateTimeOffset head = late > 0 && cron.Spec.Missed == CronMissed.Once ? newest : due.Newest[0];
        CronFiredEvent fire = Fire(cron, head, now, late > 0 ? CronCause.CatchUp : CronCause.Schedule, life);
        if (cron.Runs.Exists(run => run.JobId == fire.JobId))
        {
            // The clock was put back by days: this time has had its run.
            return Miss(head, 0);
        }

        return (isBusy, late > 0) switch
        {
            (false, _) => fire,
            (true, false) when cron.Spec.Overlap is CronOverlap.Buffer or CronOverlap.Cancel => new CronBufferedEvent(now, head),
            (true, false) => new CronMissedEvent(now, head, 1, CronMissedReason.Overlap, cron.Life),
            // What is made up for waits until the run is over.
            (true, true) => null,
        };

        CronMissedEvent Miss(DateTimeOffset through, int count) => new(now, through, count, CronMissedReason.Away, cron.Life);
    }

    private static CronFiredEvent Fire(CronState cron, DateTimeOffset nominal, DateTimeOffset now, CronCause cause, long life)
    {
        string when = cause == CronCause.Reboot ? "start-" + life.ToString("x", CultureInfo.InvariantCulture) : nominal.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return new CronFiredEvent(now, nominal, JobIdOf(cron, KeyOf(cron, when)), cause, life);
    }

    private static string KeyOf(CronState cron, string what) => string.Create(CultureInfo.InvariantCulture, $"cron/{cron.CronId.Name}/{cron.Version}/{what}");

    private static JobId JobIdOf(CronState cron, string key) => JobId.FromIdempotencyKey(cron.CronId.Home, key);

    private static DateTimeOffset CursorOf(CronState cron, DateTimeOffset now) => cron.Cursor > now + ClockBackMax ? now : cron.Cursor;

    private static bool TryRead(
        CronSpec spec,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CronExpression? expression,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TimeZoneInfo? zone,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out Problem? problem)
    {
        expression = null;
        zone = null;
        problem = null;
        try
        {
            expression = CronExpression.Parse(spec.Schedule);
        }
        catch (MeshException error)
        {
            problem = new Problem(error.Code, error.Message, error.NextStep);
            return false;
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(spec.Zone, out zone))
        {
            problem = new Problem(MeshErrors.BadZone, $"this device knows no time zone '{spec.Zone}'", "write an IANA name such as Europe/Berlin or UTC; the names are those of /usr/share/zoneinfo (package tzdata)");
            return false;
        }

        return true;
    }

    /// <summary>Times that are due.</summary>
    /// <param name="Newest">The oldest of them first.</param>
    /// <param name="Total">With those that are not among them.</param>
    private sealed record Due(ImmutableArray<DateTimeOffset> Newest, int Total)
    {
        private const int Growth = 4;

        /// <summary>After the one and up to the other.</summary>
        public static Due Between(CronExpression expression, TimeZoneInfo zone, DateTimeOffset after, DateTimeOffset until)
        {
            int total = Walk(expression, zone, after, until).Take(CountMax).Count();
            if (total <= CatchUpMax)
            {
                return new Due([.. Walk(expression, zone, after, until)], total);
            }

            // Years may have passed: looked for from the end, in windows that grow.
            ImmutableArray<DateTimeOffset> newest = [];
            for (TimeSpan window = TimeSpan.FromMinutes(CatchUpMax); newest.Length < CatchUpMax; window *= Growth)
            {
                DateTimeOffset from = until - after > window ? until - window : after;
                newest = [.. Walk(expression, zone, from, until).TakeLast(CatchUpMax)];
            }

            return new Due(newest, total);
        }

        private static IEnumerable<DateTimeOffset> Walk(CronExpression expression, TimeZoneInfo zone, DateTimeOffset after, DateTimeOffset until)
        {
            for (DateTimeOffset? at = expression.NextAfter(after, zone); at <= until; at = expression.NextAfter(at.Value, zone))
            {
                yield return at.Value;
            }
        }
    }
}
