using System.Globalization;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Jobs;

/// <summary>
/// Whether the end of a job is told to the URL that its caller named, and when. Pure, as <see cref="JobRules"/>. What is told is what the job has at rest, so its event holds no copy of it: only that it is due, which the
/// index of the journal shows, so that a node that was restarted goes on with it.
/// </summary>
public static class JobDeliveryRules
{
    /// <summary>The event as it is journalled: marked, where it ends the job in a way that its caller wants told.</summary>
    /// <param name="spec">Null before the job is accepted.</param>
    /// <param name="number">Of the event in the journal, from 1.</param>
    public static IJobEvent Marked(JobSpec? spec, IJobEvent change, long number) => spec?.Notify is not { } notify
        ? change
        : change switch
        {
            CompletedEvent e when notify.Wants(JobStateName.Completed) => e with { IsDue = true, DueAs = number },
            FailedEvent e when notify.Wants(JobStateName.Failed) => e with { IsDue = true, DueAs = number },
            PausedEvent e when notify.Wants(JobStateName.Paused) => e with { IsDue = true, DueAs = number },
            CancelledEvent e when notify.Wants(JobStateName.Cancelled) => e with { IsDue = true, DueAs = number },
            _ => change,
        };

    /// <summary>Of this end: a job that a person retries ends another time, which is told under another id.</summary>
    /// <param name="attempt">The newest one; 0 where none was placed.</param>
    /// <param name="endedAt">To the millisecond, as it is journalled.</param>
    public static string IdOf(JobId job, Delivery delivery, int attempt, DateTimeOffset endedAt) =>
        DeliveryRules.IdOf(job.ToString(), delivery, () => string.Create(CultureInfo.InvariantCulture, $"{job}/{attempt}/{endedAt.ToUnixTimeMilliseconds()}"));

    /// <summary>What is sent now; null for nothing.</summary>
    public static Parcel? Ready(JobState job, DateTimeOffset now) =>
        UntilNext(job, now) == TimeSpan.Zero && job is { Spec.Notify: { } notify, EndedAt: { } ended, Delivery: { } due }
            ? new Parcel(IdOf(job.JobId, due, job.Attempt, ended), notify.Url, job.JobId, job.Name, EndReport.Of(job.ToView(), now), due.Attempts + 1) { Key = job.Spec.IdempotencyKey }
            : null;

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    public static TimeSpan? UntilNext(JobState job, DateTimeOffset now) => job.IsAtRest ? DeliveryRules.UntilNextOf(job.Delivery, now) : null;

    /// <summary>An attempt ended; null where that changes nothing any more, as for an end before the present one.</summary>
    public static ToldEvent? Ended(JobState job, string deliveryId, DeliveryAnswer answer, DateTimeOffset now) =>
        job is { IsAtRest: true, EndedAt: { } ended, Delivery: { } due } && DeliveryRules.After(due, IdOf(job.JobId, due, job.Attempt, ended), deliveryId, answer, now) is { } after ? new ToldEvent(now, job.Name, after) : null;
}
