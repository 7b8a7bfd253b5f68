using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>A schedule in its first life, and what its rules make of it.</summary>
internal static class CronSamples
{
    public const long Life = 7;

    public static readonly CronId Id = new(Home, "nightly");
    public static readonly DateTimeOffset Midnight = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    public static CronSpec Spec(string schedule, CronMissed missed = CronMissed.Skip, CronOverlap overlap = CronOverlap.Skip, int pauseAfter = 0) =>
        new(schedule, "UTC", SpecOf(), missed, overlap, pauseAfter);

    public static CronState Created(string schedule, CronMissed missed = CronMissed.Skip, CronOverlap overlap = CronOverlap.Skip, int pauseAfter = 0) =>
        CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec(schedule, missed, overlap, pauseAfter), Life));

    public static List<ICronEvent> Drain(CronState cron, DateTimeOffset now) => Drain(cron, now, out _);

    /// <summary>All that is journalled now when every job is done at once.</summary>
    public static List<ICronEvent> Drain(CronState cron, DateTimeOffset now, out CronState after)
    {
        var events = new List<ICronEvent>();
        while (CronRules.Next(cron, now, Life) is { } change)
        {
            events.Add(change);
            cron = cron.Apply(change);
            if (change is CronFiredEvent fired)
            {
                cron = cron.Apply(new CronRunEndedEvent(now, fired.JobId, JobStateName.Completed));
            }
        }

        after = cron;
        return events;
    }

    public static CronState Over(List<ICronEvent> events, CronState after)
    {
        Assert.DoesNotContain(events, change => change is CronMissedEvent { Reason: CronMissedReason.Away });
        return after.Running.Aggregate(after, (state, run) => state.Apply(new CronRunEndedEvent(Midnight, run.JobId, JobStateName.Completed)));
    }

    public static string Told(List<ICronEvent> events) =>
        string.Join(", ", events.Select(change => change is CronFiredEvent fired ? $"{fired.Cause} {fired.Nominal:HH:mm}" : $"missed {((CronMissedEvent)change).Count}"));
}
