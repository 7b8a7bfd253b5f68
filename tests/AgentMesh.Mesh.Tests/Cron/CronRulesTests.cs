using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Cron.CronSamples;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronRulesTests
{
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
}
