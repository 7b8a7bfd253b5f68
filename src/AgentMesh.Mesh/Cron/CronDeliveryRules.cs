using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Cron;

/// <summary>Which ends of runs are told, and which are not any more. Pure, as <see cref="CronRules"/>.</summary>
public static class CronDeliveryRules
{
    /// <summary>Of one schedule; beyond that the oldest is given up.</summary>
    public const int DueMax = 100;

    /// <summary>What is told of a run that came to rest; null for nothing.</summary>
    public static EndReport? ReportOf(CronSpec spec, JobView job, DateTimeOffset now) => spec.Notify?.Wants(job.State) == true ? EndReport.Of(job, now) : null;

    public static string IdOf(CronId cron, JobId job) => DeliveryRules.IdOf($"{cron}/{job}");

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
        return why is null ? null : new CronDeliveryEvent(now, run.JobId, oldest with { State = DeliveryState.GivenUp, Problem = why, Report = null });
    }

    /// <summary>What is sent now, the oldest first; null for nothing.</summary>
    public static Parcel? Ready(CronState cron, DateTimeOffset now) =>
        cron.Spec?.Notify is { } notify && cron.Due.LastOrDefault(run => DeliveryRules.UntilNext(run.Delivery!, now) == TimeSpan.Zero) is { Delivery: { Report: { } report } delivery } run
            ? new Parcel(IdOf(cron.CronId, run.JobId), notify.Url, run.JobId, run.Ended!.Value, report, delivery.Attempts + 1) { Scheduled = new ScheduledRun(cron.CronId, run) }
            : null;

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    public static TimeSpan? UntilNext(CronState cron, DateTimeOffset now) => cron.Due.Any() ? cron.Due.Min(run => DeliveryRules.UntilNext(run.Delivery!, now)) : null;

    /// <summary>An attempt ended; null where that changes nothing any more.</summary>
    public static CronDeliveryEvent? Ended(CronState cron, JobId job, DeliveryAnswer answer, DateTimeOffset now) =>
        cron.Due.FirstOrDefault(run => run.JobId == job)?.Delivery is { } due ? new CronDeliveryEvent(now, job, DeliveryRules.After(due, IdOf(cron.CronId, job), answer, now)) : null;
}
