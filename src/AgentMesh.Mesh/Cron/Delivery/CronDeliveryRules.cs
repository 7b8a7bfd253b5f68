using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron.Delivery;

/// <summary>When the ends of runs are told, and when that is given up. Pure, as <see cref="CronRules"/>.</summary>
public static class CronDeliveryRules
{
    public const int AttemptsMax = 8;

    /// <summary>Of one schedule; beyond that the oldest is given up.</summary>
    public const int DueMax = 100;

    /// <summary>The longest wait between two attempts, also where the receiver asks for a longer one.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(30);

    // Three times as long each time: 10 s, 30 s, 90 s, 4.5 min, 13.5 min, 20 min, 20 min, an hour together.
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UsualWaitMax = TimeSpan.FromMinutes(20);
    private const int Growth = 3;

    // Of a wait, up or down: receivers that were away are not asked by everybody at once.
    private const double Jitter = 0.2;

    /// <summary>What is told of a run that came to rest; null for nothing.</summary>
    public static CronReport? ReportOf(CronSpec spec, JobView job, DateTimeOffset now) => spec.Notify?.Wants(job.State) == true ? CronReport.Of(job, now) : null;

    public static string IdOf(CronId cron, JobId job) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{cron}/{job}")).AsSpan(0, 16));

    /// <summary>What is given up without a further attempt; null for nothing.</summary>
    public static CronDeliveryEvent? Next(CronState cron, DateTimeOffset now)
    {
        if (cron.Due.LastOrDefault() is not { Delivery: { } oldest } run)
        {
            return null;
        }

        Problem? why = cron.Spec?.Notify is null ? new Problem(MeshErrors.NotifyWithdrawn, "the schedule names no URL any more")
            : cron.Due.Skip(DueMax).Any() ? new Problem(MeshErrors.NotifyWithdrawn, $"{DueMax} newer runs wait to be told", "look at the receiver: 'agentmesh cron show' says what it answers")
            : null;
        return why is null ? null : new CronDeliveryEvent(now, run.JobId, oldest with { State = CronDeliveryState.GivenUp, Problem = why, Report = null });
    }

    /// <summary>What is sent now, the oldest first; null for nothing.</summary>
    public static CronParcel? Ready(CronState cron, DateTimeOffset now) =>
        cron.Spec?.Notify is { } notify && cron.Due.LastOrDefault(run => WaitOf(run.Delivery!, now) == TimeSpan.Zero) is { Delivery: { Report: { } report } delivery } run
            ? new CronParcel(IdOf(cron.CronId, run.JobId), cron.CronId, notify.Url, run, report, delivery.Attempts + 1)
            : null;

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    public static TimeSpan? UntilNext(CronState cron, DateTimeOffset now) => cron.Due.Any() ? cron.Due.Min(run => WaitOf(run.Delivery!, now)) : null;

    /// <summary>An attempt ended; null where that changes nothing any more.</summary>
    public static CronDeliveryEvent? Ended(CronState cron, JobId job, DeliveryAnswer answer, DateTimeOffset now)
    {
        if (cron.Due.FirstOrDefault(run => run.JobId == job)?.Delivery is not { } delivery)
        {
            return null;
        }

        int attempts = delivery.Attempts + 1;
        (CronDeliveryState state, Problem? problem) = answer.Verdict switch
        {
            DeliveryVerdict.Delivered => (CronDeliveryState.Delivered, null),
            DeliveryVerdict.Again when attempts < AttemptsMax => (CronDeliveryState.Due, answer.Problem),
            DeliveryVerdict.Again => (CronDeliveryState.GivenUp, UsedUp(answer.Problem)),
            _ => (CronDeliveryState.GivenUp, answer.Problem),
        };
        DateTimeOffset next = state == CronDeliveryState.Due ? now + Wait(IdOf(cron.CronId, job), attempts, answer.RetryAfter) : now;
        return new CronDeliveryEvent(now, job, new CronDelivery(state, attempts, next, now, answer.Status, problem));
    }

    /// <summary>Before the attempt that follows so many. The part that is chance follows from the delivery, so that it is the same after a crash.</summary>
    public static TimeSpan Wait(string deliveryId, int attempts, TimeSpan? retryAfter)
    {
        TimeSpan usual = TimeSpan.FromTicks(Math.Min(UsualWaitMax.Ticks, FirstWait.Ticks * (long)Math.Pow(Growth, Math.Min(attempts, AttemptsMax) - 1)));
        ulong chance = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{deliveryId}/{attempts}"))));
        TimeSpan wait = usual * (1 - Jitter + (2 * Jitter * (chance / (double)ulong.MaxValue)));
        wait = retryAfter > wait ? retryAfter.Value : wait;
        return TimeSpan.FromMilliseconds(Math.Ceiling((wait > WaitMax ? WaitMax : wait).TotalMilliseconds));
    }

    private static Problem UsedUp(Problem? last) =>
        new(MeshErrors.NotifyUsedUp, $"{AttemptsMax} attempts failed, the last one: {last?.Text}", "look at the receiver; 'agentmesh cron run' tells the next run");

    // A clock that was put back does not make it wait longer than it was to.
    private static TimeSpan WaitOf(CronDelivery delivery, DateTimeOffset now) =>
        delivery.NextAt - now is var left && left > TimeSpan.Zero && left <= WaitMax ? left : TimeSpan.Zero;
}
