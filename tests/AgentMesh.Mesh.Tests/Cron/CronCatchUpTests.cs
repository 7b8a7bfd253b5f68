using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Cron.CronSamples;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>Times that lie in the past: missed ones, and those that are asked for.</summary>
public sealed class CronCatchUpTests
{
    [Fact]
    public void A_backfill_fires_each_time_once_and_none_that_had_its_run()
    {
        CronState cron = Created("0 * * * *");
        cron = Over(Drain(cron, Midnight.AddHours(1), out CronState after), after);
        DateTimeOffset now = Midnight.AddHours(1.5);
        var times = CronBackfill.Times(cron.Spec!, Midnight.AddHours(-3), Midnight.AddHours(1), now);
        Assert.Equal([.. Enumerable.Range(-3, 5).Select(hour => Midnight.AddHours(hour))], times.ToArray());

        cron = cron.Apply(new CronBackfillEvent(now, new CronBackfill(times[0].AddSeconds(-1), times[^1], times.Length)));
        List<ICronEvent> events = Drain(cron, now, out after);

        // 01:00 has had its run on time.
        Assert.Equal(times.SkipLast(1), events.OfType<CronFiredEvent>().Select(fired => fired.Nominal));
        Assert.All(events.OfType<CronFiredEvent>(), fired => Assert.Equal(CronCause.Backfill, fired.Cause));
        Assert.Null(after.Backfill);
        Assert.Equal((cron.Cursor, 0L), (after.Cursor, after.Missed));

        // Asked for again it is the same jobs.
        cron = after.Apply(new CronBackfillEvent(now, new CronBackfill(times[0].AddSeconds(-1), times[^1], times.Length)));
        Assert.Empty(Drain(cron, now).OfType<CronFiredEvent>());
    }

    [Fact]
    public void A_backfill_goes_one_after_the_other_unless_runs_may_overlap_and_lets_what_is_due_go_first()
    {
        foreach (CronOverlap overlap in Enum.GetValues<CronOverlap>())
        {
            CronState cron = Created("0 * * * *", overlap: overlap);
            DateTimeOffset now = Midnight.AddHours(1);
            cron = cron.Apply(new CronBackfillEvent(now, new CronBackfill(Midnight.AddHours(-4), Midnight.AddHours(-1), 3)));
            var fired = new List<CronFiredEvent>();
            while (CronRules.Next(cron, now, Life) is CronFiredEvent fire)
            {
                fired.Add(fire);
                cron = cron.Apply(fire);
            }

            Assert.Equal((CronCause.Schedule, now), (fired[0].Cause, fired[0].Nominal));
            Assert.Equal(overlap == CronOverlap.Allow ? 4 : 1, fired.Count);
        }
    }

    [Fact]
    public void A_backfill_has_a_bound_and_lies_in_the_past()
    {
        CronSpec spec = Spec("* * * * *");
        Assert.Equal(1_000, CronBackfill.Times(spec, Midnight, Midnight.AddMinutes(999), Midnight.AddDays(1)).Length);
        foreach ((CronSpec wrong, DateTimeOffset from, DateTimeOffset to) in ((CronSpec, DateTimeOffset, DateTimeOffset)[])
            [(spec, Midnight, Midnight.AddMinutes(1_000)), (spec, Midnight, Midnight.AddDays(2)), (spec, Midnight.AddHours(1), Midnight), (Spec("@reboot"), Midnight, Midnight)])
        {
            Assert.Equal(MeshErrors.BadBackfill, Assert.Throws<Errors.MeshException>(() => CronBackfill.Times(wrong, from, to, Midnight.AddDays(1))).Code);
        }
    }

    [Fact]
    public void Failures_end_a_backfill_where_they_disable_the_schedule()
    {
        CronState cron = Created("0 * * * *", pauseAfter: 2).Apply(new CronBackfillEvent(Midnight, new CronBackfill(Midnight.AddHours(-10), Midnight.AddHours(-1), 9)));
        for (int run = 0; run < 2; run++)
        {
            cron = cron.Apply(Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight, Life)));
            cron = cron.Apply(new CronRunEndedEvent(Midnight, cron.Runs[0].JobId, JobStateName.Failed));
        }

        cron = cron.Apply(Assert.IsType<CronDisabledEvent>(CronRules.Next(cron, Midnight, Life)));
        Assert.Equal((false, null), (cron.IsEnabled, cron.Backfill));
        Assert.Null(CronRules.Next(cron, Midnight, Life));
    }

    [Theory]
    [InlineData(CronMissed.Skip, "missed 3")]
    [InlineData(CronMissed.Once, "missed 2, CatchUp 03:00")]
    [InlineData(CronMissed.All, "CatchUp 01:00, CatchUp 02:00, CatchUp 03:00")]
    public void What_was_missed_goes_by_the_policy(CronMissed policy, string expected) =>
        Assert.Equal(expected, Told(Drain(Created("0 * * * *", policy), Midnight.AddHours(3.5))));

    [Fact]
    public void A_window_makes_up_for_what_is_no_older()
    {
        CronState cron = CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec("0 * * * *", CronMissed.Window) with { Window = TimeSpan.FromHours(2) }, Life));
        Assert.Equal("missed 3, CatchUp 04:00, CatchUp 05:00", Told(Drain(cron, Midnight.AddHours(5.5))));
        Assert.Equal("missed 3, CatchUp 04:00, CatchUp 05:00, Schedule 06:00", Told(Drain(cron, Midnight.AddHours(6))));
        Assert.Equal("missed 3", Told(Drain(cron with { Spec = cron.Spec! with { Window = TimeSpan.FromMinutes(5) } }, Midnight.AddHours(3.5))));
        Assert.Throws<Errors.MeshException>(() => CronRules.Check(cron.Spec! with { Window = TimeSpan.Zero }));
        Assert.Throws<Errors.MeshException>(() => CronRules.Check(cron.Spec! with { Window = TimeSpan.FromDays(32) }));
    }

    [Theory]
    [InlineData(CronMissed.Skip, "missed 2, Schedule 03:00")]
    [InlineData(CronMissed.Once, "missed 2, Schedule 03:00")]
    [InlineData(CronMissed.All, "CatchUp 01:00, CatchUp 02:00, Schedule 03:00")]
    public void A_run_on_time_stands_for_those_missed_before_it(CronMissed policy, string expected) =>
        Assert.Equal(expected, Told(Drain(Created("0 * * * *", policy), Midnight.AddHours(3).AddSeconds(20))));

    [Fact]
    public void Making_up_is_bounded_and_the_rest_is_counted()
    {
        List<ICronEvent> events = Drain(Created("* * * * *", CronMissed.All), Midnight.AddMinutes(150).AddSeconds(-1));

        Assert.Equal(49, Assert.IsType<CronMissedEvent>(events[0]).Count);
        Assert.Equal(CronRules.CatchUpMax, events.Count(change => change is CronFiredEvent));
    }

    [Fact]
    public void Years_of_missed_minutes_are_counted_up_to_a_bound_in_a_moment()
    {
        List<ICronEvent> events = Drain(Created("* * * * *", CronMissed.Once), Midnight.AddYears(3).AddSeconds(30).AddMinutes(0));

        Assert.InRange(Assert.IsType<CronMissedEvent>(events[0]).Count, CronRules.CountMax - 1, CronRules.CountMax);
        Assert.Equal(Midnight.AddYears(3), Assert.IsType<CronFiredEvent>(Assert.Single(events.Skip(1))).Nominal);
    }

    [Fact]
    public void What_is_made_up_for_waits_for_the_run_before_it()
    {
        CronState cron = Created("0 * * * *", CronMissed.All);
        DateTimeOffset now = Midnight.AddHours(2.5);
        cron = cron.Apply(CronRules.Next(cron, now, Life)!);

        Assert.Null(CronRules.Next(cron, now, Life));
        cron = cron.Apply(new CronRunEndedEvent(now, cron.Runs[0].JobId, JobStateName.Completed));
        Assert.Equal(Midnight.AddHours(2), Assert.IsType<CronFiredEvent>(CronRules.Next(cron, now, Life)).Nominal);
    }
}
