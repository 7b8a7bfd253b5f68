using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronRulesTests
{
    private const long Life = 7;

    private static readonly CronId Id = new(Home, "nightly");
    private static readonly DateTimeOffset Midnight = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Fact]
    public void A_time_is_fired_once_and_its_job_is_the_same_whenever_it_is_asked_for()
    {
        CronState before = Created("0 * * * *");

        Assert.Null(CronRules.Next(before, Midnight.AddMinutes(59), Life));
        var fired = Assert.IsType<CronFiredEvent>(CronRules.Next(before, Midnight.AddHours(1), Life));
        var again = Assert.IsType<CronFiredEvent>(CronRules.Next(before, Midnight.AddHours(1).AddSeconds(30), Life));

        Assert.Equal((CronCause.Schedule, Midnight.AddHours(1)), (fired.Cause, fired.Nominal));
        Assert.Equal(fired.JobId, again.JobId);
        Assert.Null(CronRules.Next(before.Apply(fired), Midnight.AddHours(1).AddSeconds(30), Life));
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

    [Fact]
    public void Devices_are_looked_for_at_each_time_and_each_has_a_job_that_a_repeat_finds_again()
    {
        var targets = new CronTargets(new AgentMesh.Mesh.Arrays.ArrayTargets("label:gpu", false, [], ["gpu"]), IsOne: false);
        CronState cron = CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec("0 * * * *") with { Targets = targets }, Life));
        JobTarget[] devices = [new JobTarget(Gpu, "label:gpu", "gpu-box"), new JobTarget(Third, "label:gpu", "lab")];
        var fire = (CronFiredEvent)CronRules.Next(cron, Midnight.AddHours(1), Life)!;
        CronFiredEvent both = CronRules.For(cron, fire, (_, _) => devices);
        Assert.Equal(both, CronRules.For(cron, fire, (_, _) => devices));

        cron = cron.Apply(both);
        Assert.Equal(devices, cron.Runs.Select(run => CronRules.Submission(cron, run).Spec.Target));
        Assert.Equal(2, cron.Runs.Select(run => run.JobId).Distinct().Count());
        Assert.Equal(fire.JobId, cron.Runs[0].JobId);
        cron = cron.Apply(new CronRunEndedEvent(Midnight, cron.Runs[0].JobId, JobStateName.Completed));
        Assert.Equal(CronMissedReason.Overlap, Assert.IsType<CronMissedEvent>(CronRules.Next(cron, Midnight.AddHours(2), Life)).Reason);

        cron = cron.Apply(new CronRunEndedEvent(Midnight, cron.Running.Single().JobId, JobStateName.Completed));
        var nobody = CronRules.For(cron, (CronFiredEvent)CronRules.Next(cron, Midnight.AddHours(2), Life)!, (_, _) => []);
        long missed = cron.Missed;
        cron = cron.Apply(nobody);
        Assert.Equal((missed + 1, Midnight.AddHours(2)), (cron.Missed, cron.Cursor));
        Assert.Empty(cron.Running);
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
    public void A_run_that_is_not_over_lets_the_next_be_missed_unless_both_may_run()
    {
        DateTimeOffset first = Midnight.AddHours(1), second = Midnight.AddHours(2);
        foreach (CronOverlap overlap in (CronOverlap[])[CronOverlap.Skip, CronOverlap.Allow])
        {
            CronState cron = Created("0 * * * *", overlap: overlap);
            cron = cron.Apply(CronRules.Next(cron, first, Life)!);
            ICronEvent change = CronRules.Next(cron, second, Life)!;
            if (overlap == CronOverlap.Skip)
            {
                Assert.Equal(CronMissedReason.Overlap, Assert.IsType<CronMissedEvent>(change).Reason);
                Assert.Null(CronRules.Next(cron.Apply(change), second, Life));
            }
            else
            {
                Assert.NotEqual(cron.Runs[0].JobId, Assert.IsType<CronFiredEvent>(change).JobId);
            }
        }
    }

    [Theory]
    [InlineData(CronOverlap.Buffer)]
    [InlineData(CronOverlap.Cancel)]
    public void One_time_waits_for_the_end_of_a_run_and_the_next_takes_its_place(CronOverlap overlap)
    {
        CronState cron = Created("0 * * * *", overlap: overlap);
        for (int hour = 1; hour <= 3; hour++)
        {
            cron = cron.Apply(CronRules.Next(cron, Midnight.AddHours(hour), Life)!);
            Assert.Null(CronRules.Next(cron, Midnight.AddHours(hour), Life));
        }

        Assert.Equal((1L, 1L, Midnight.AddHours(3)), (cron.Fired, cron.Missed, CronRules.View(cron, Midnight.AddHours(3)).Waiting!.Value));
        DateTimeOffset over = Midnight.AddHours(3.8);
        cron = cron.Apply(new CronRunEndedEvent(over, cron.Runs[0].JobId, JobStateName.Cancelled));
        cron = cron.Apply(Assert.IsType<CronFiredEvent>(CronRules.Next(cron, over, Life)));
        Assert.Equal((2L, null, Midnight.AddHours(3), CronCause.Schedule), (cron.Fired, cron.Buffered, cron.Runs[0].Nominal, cron.Runs[0].Cause));
        Assert.Null(CronRules.Next(cron, over, Life));
    }

    [Fact]
    public void A_time_that_waits_is_given_up_when_the_schedule_is_disabled()
    {
        CronState cron = Created("0 * * * *", overlap: CronOverlap.Buffer);
        cron = cron.Apply(CronRules.Next(cron, Midnight.AddHours(1), Life)!);
        cron = cron.Apply(Assert.IsType<CronBufferedEvent>(CronRules.Next(cron, Midnight.AddHours(2), Life)));
        cron = cron.Apply(new CronDisabledEvent(Midnight.AddHours(2), null));
        Assert.Equal((1L, null), (cron.Missed, cron.Buffered));
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

    [Fact]
    public void Failures_one_after_the_other_disable_it_and_enabling_begins_again()
    {
        CronState cron = Created("0 * * * *", pauseAfter: 2);
        DateTimeOffset now = Midnight;
        foreach (JobStateName end in (JobStateName[])[JobStateName.Failed, JobStateName.Completed, JobStateName.Paused, JobStateName.Cancelled, JobStateName.Failed])
        {
            now = now.AddHours(1);
            cron = cron.Apply(Assert.IsType<CronFiredEvent>(CronRules.Next(cron, now, Life)));
            cron = cron.Apply(new CronRunEndedEvent(now, cron.Runs[0].JobId, end));
        }

        var disabled = Assert.IsType<CronDisabledEvent>(CronRules.Next(cron, now, Life));
        Assert.Equal(MeshErrors.CronPaused, disabled.Reason!.Code);
        cron = cron.Apply(disabled);
        Assert.Null(CronRules.Next(cron, now.AddHours(5), Life));
        cron = cron.Apply(new CronEnabledEvent(now.AddHours(5).AddMinutes(30), Life));
        Assert.Equal(now.AddHours(6), Assert.IsType<CronFiredEvent>(CronRules.Next(cron, now.AddHours(6), Life)).Nominal);
    }

    [Fact]
    public void Reboot_fires_once_in_each_life_but_that_of_its_creation()
    {
        CronState cron = Created("@reboot");
        Assert.Null(CronRules.Next(cron, Midnight.AddDays(1), Life));
        cron = cron.Apply(Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight.AddDays(1), Life + 1)));
        Assert.Null(CronRules.Next(cron, Midnight.AddDays(2), Life + 1));

        // The first is not over: a program that is tried again after the restart is not started beside itself.
        cron = cron.Apply(Assert.IsType<CronMissedEvent>(CronRules.Next(cron, Midnight.AddDays(2), Life + 2)));
        cron = cron.Apply(new CronRunEndedEvent(Midnight.AddDays(2), cron.Runs[0].JobId, JobStateName.Completed));
        Assert.Null(CronRules.Next(cron, Midnight.AddDays(2), Life + 2));
        Assert.NotEqual(cron.Runs[0].JobId, Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight.AddDays(3), Life + 3)).JobId);
    }

    [Fact]
    public void A_clock_that_is_put_back_fires_nothing_twice_and_one_that_was_years_ahead_is_forgotten()
    {
        CronState cron = Created("0 * * * *");
        cron = cron.Apply(CronRules.Next(cron, Midnight.AddHours(5), Life)!);
        cron = Over(Drain(cron, Midnight.AddHours(5), out CronState now), now);

        Assert.Null(CronRules.Next(cron, Midnight.AddHours(4), Life));
        Assert.Null(CronRules.Next(cron, Midnight.AddHours(5), Life));
        Assert.Equal(Midnight.AddHours(6), Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight.AddHours(6), Life)).Nominal);

        CronState wrong = cron with { Cursor = Midnight.AddYears(10) };
        Assert.True(CronRules.UntilNextLook(wrong, Midnight) <= TimeSpan.FromSeconds(15));
        Assert.Equal(Midnight.AddHours(1), CronRules.View(wrong, Midnight).Next[0]);
    }

    [Fact]
    public void A_time_whose_job_is_known_is_passed_over_even_where_the_clock_was_put_back_by_days()
    {
        CronState cron = Created("0 0 * * *");
        for (int day = 1; day <= 5; day++)
        {
            Drain(cron, Midnight.AddDays(day), out cron);
        }

        Assert.Equal(Midnight.AddDays(5), cron.Runs[0].Nominal);
        Assert.Empty(Drain(cron, Midnight.AddDays(2.5), out cron));
        Assert.Equal(0, Assert.IsType<CronMissedEvent>(Assert.Single(Drain(cron with { Cursor = Midnight.AddDays(2.9) }, Midnight.AddDays(3), out cron))).Count);
        Assert.Equal(5, cron.Fired);
    }

    [Fact]
    public void A_new_schedule_of_an_old_name_has_jobs_of_its_own()
    {
        CronState first = Created("0 * * * *");
        CronState second = first.Apply(new CronRemovedEvent(Midnight)).Apply(new CronCreatedEvent(Midnight, Spec("0 * * * *"), Life));

        Assert.NotEqual(((CronFiredEvent)CronRules.Next(first, Midnight.AddHours(1), Life)!).JobId, ((CronFiredEvent)CronRules.Next(second, Midnight.AddHours(1), Life)!).JobId);
    }

    [Fact]
    public void A_zone_that_is_gone_disables_it_with_the_reason()
    {
        CronState cron = CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec("@hourly") with { Zone = "Mars/Olympus" }, Life));
        Assert.Equal(MeshErrors.BadZone, Assert.IsType<CronDisabledEvent>(CronRules.Next(cron, Midnight, Life)).Reason!.Code);
        Assert.Empty(CronRules.View(cron, Midnight).Next);
    }

    /// <summary>Restarts, clocks that jump, runs that last: no time is fired twice, the order is kept, and the snapshot tells the same.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_happens_no_time_is_fired_twice(int seed)
    {
        var random = new Random(seed);
        string schedule = ((string[])["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "@daily"])[random.Next(5)];
        CronState cron = CronState.None(Id).Apply(new CronCreatedEvent(
            Midnight, Spec(schedule, (CronMissed)random.Next(1, 5), (CronOverlap)random.Next(1, 5), random.Next(3)) with { Zone = "America/New_York", Window = TimeSpan.FromHours(random.Next(1, 9)) }, Life));
        DateTimeOffset now = Midnight, latest = now;
        var nominal = new List<DateTimeOffset>();
        for (int step = 0; step < 400; step++)
        {
            now += random.Next(12) switch { 0 => TimeSpan.FromMinutes(-random.Next(1_200)), 1 => TimeSpan.FromHours(random.Next(30)), _ => TimeSpan.FromSeconds(random.Next(400)) };
            latest = now > latest ? now : latest;
            now = latest - now > CronRules.ClockBackMax ? latest - CronRules.ClockBackMax : now;
            if (random.Next(3) == 0 && cron.Running.FirstOrDefault() is { } run)
            {
                cron = cron.Apply(new CronRunEndedEvent(now, run.JobId, random.Next(2) == 0 ? JobStateName.Completed : JobStateName.Failed));
            }
            else if (!cron.IsEnabled)
            {
                cron = cron.Apply(new CronEnabledEvent(now, Life));
            }

            if (random.Next(40) == 0 && cron is { IsEnabled: true, Backfill: null })
            {
                DateTimeOffset from = now.AddMinutes(-random.Next(2_000));
                int count = CronBackfill.Times(cron.Spec!, from, from.AddMinutes(60), from.AddMinutes(60)).Length;
                cron = cron.Apply(new CronBackfillEvent(now, new CronBackfill(from.AddSeconds(-1), from.AddMinutes(60), count)));
            }

            for (int each = 0; CronRules.Next(cron, now, Life) is { } change; each++)
            {
                Assert.True(each < 1_000, "it never ends");
                cron = cron.Apply(change);
                if (change is CronFiredEvent fired)
                {
                    Assert.True(fired.Nominal <= latest || fired.Cause == CronCause.Backfill);
                    if (fired.Cause != CronCause.Backfill)
                    {
                        nominal.Add(fired.Nominal);
                    }

                    Assert.Single(cron.Runs, run => run.JobId == fired.JobId);
                }

                CronState stored = CronSnapshot.Of(cron).ToState(Id);
                Assert.Equal(CronSnapshot.Of(cron), CronSnapshot.Of(stored));
            }

            Assert.True(CronRules.UntilNextLook(cron, now) > TimeSpan.Zero);
            Assert.True(cron.Runs.Count <= CronRules.RunningMax + CronState.RunsKept);
        }

        Assert.Equal(nominal.Order().Distinct(), nominal);
    }

    [Fact]
    public void With_jitter_it_runs_later_always_by_the_same_part_of_it()
    {
        CronSpec spec = Spec("0 * * * *") with { Jitter = TimeSpan.FromMinutes(20) };
        CronState cron = CronState.None(Id).Apply(new CronCreatedEvent(Midnight.AddSeconds(-1), spec, Life));
        TimeSpan delay = CronRules.DelayOf(cron);

        Assert.InRange(delay, TimeSpan.FromMilliseconds(1), spec.Jitter);
        Assert.Equal(Midnight + delay, CronRules.View(cron, Midnight.AddSeconds(-1)).Next[0]);
        Assert.True(CronRules.UntilNextLook(cron, Midnight + delay - TimeSpan.FromSeconds(2)) <= TimeSpan.FromSeconds(2));
        Assert.Null(CronRules.Next(cron, Midnight + delay - TimeSpan.FromMilliseconds(1), Life));
        var fired = Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight + delay, Life));
        Assert.Equal((Midnight, CronCause.Schedule), (fired.Nominal, fired.Cause));
        Assert.Equal(CronCause.Schedule, Assert.IsType<CronFiredEvent>(CronRules.Next(cron, Midnight + delay + TimeSpan.FromSeconds(50), Life)).Cause);
        Assert.IsType<CronMissedEvent>(CronRules.Next(cron, Midnight + delay + TimeSpan.FromMinutes(2), Life));

        CronState other = CronState.None(new CronId(Home, "weekly")).Apply(new CronCreatedEvent(Midnight, spec, Life));
        Assert.NotEqual(delay, CronRules.DelayOf(other));
        Assert.Throws<Errors.MeshException>(() => CronRules.Check(spec with { Jitter = TimeSpan.FromHours(13) }));
    }

    internal static CronSpec Spec(string schedule, CronMissed missed = CronMissed.Skip, CronOverlap overlap = CronOverlap.Skip, int pauseAfter = 0) =>
        new(schedule, "UTC", SpecOf(), missed, overlap, pauseAfter);

    private static CronState Created(string schedule, CronMissed missed = CronMissed.Skip, CronOverlap overlap = CronOverlap.Skip, int pauseAfter = 0) =>
        CronState.None(Id).Apply(new CronCreatedEvent(Midnight, Spec(schedule, missed, overlap, pauseAfter), Life));

    private static List<ICronEvent> Drain(CronState cron, DateTimeOffset now) => Drain(cron, now, out _);

    /// <summary>All that is journalled now when every job is done at once.</summary>
    private static List<ICronEvent> Drain(CronState cron, DateTimeOffset now, out CronState after)
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

    private static CronState Over(List<ICronEvent> events, CronState after)
    {
        Assert.DoesNotContain(events, change => change is CronMissedEvent { Reason: CronMissedReason.Away });
        return after.Running.Aggregate(after, (state, run) => state.Apply(new CronRunEndedEvent(Midnight, run.JobId, JobStateName.Completed)));
    }

    private static string Told(List<ICronEvent> events) =>
        string.Join(", ", events.Select(change => change is CronFiredEvent fired ? $"{fired.Cause} {fired.Nominal:HH:mm}" : $"missed {((CronMissedEvent)change).Count}"));
}
