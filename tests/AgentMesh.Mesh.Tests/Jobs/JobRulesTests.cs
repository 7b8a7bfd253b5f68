using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobRulesTests
{
    private const long Life = 5;

    private static readonly AttemptResult Done = new(AttemptOutcome.Succeeded, 0, "3");
    private static readonly AttemptResult Exit2 = new(AttemptOutcome.Failed, 2);
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

    [Fact]
    public void A_job_for_a_device_that_is_here_is_accepted_together_with_its_first_attempt()
    {
        JobState job = Accepted(Spec);
        Assert.Equal((JobStateName.Placing, 1, Life), (job.Name, job.Attempt, job.Placement!.Incarnation));
    }

    [Fact]
    public void A_job_for_a_device_that_is_away_waits_and_is_placed_when_it_comes()
    {
        JobState job = JobState.None(Job).Apply(JobRules.Accept(Spec, null, Start));
        Assert.Equal((JobStateName.Queued, 0), (job.Name, job.Attempt));
        Assert.Null(JobRules.AfterTime(job, null, Start.AddDays(1), 0));

        job = job.Apply(JobRules.AfterTime(job, Life, Start.AddDays(1), 0)!);
        Assert.Equal((JobStateName.Placing, 1), (job.Name, job.Attempt));
    }

    [Fact]
    public void Success_completes() => Assert.IsType<CompletedEvent>(JobRules.AfterAttempt(Accepted(Spec), Done, Start, 0));

    [Fact]
    public void A_refused_attempt_is_not_repeated_and_its_problem_is_the_reason()
    {
        var problem = new Problem("AM0306", "not allowed");
        FailedEvent failed = Assert.IsType<FailedEvent>(JobRules.AfterAttempt(Accepted(Spec), new AttemptResult(AttemptOutcome.Refused, Problem: problem), Start, 0));
        Assert.Equal(problem, failed.Reason);
    }

    [Fact]
    public void A_program_that_ran_to_its_end_has_had_its_say()
    {
        FailedEvent failed = Assert.IsType<FailedEvent>(JobRules.AfterAttempt(Accepted(Spec), Exit2, Start, 0));
        Assert.Equal(MeshErrors.ExitCode, failed.Reason.Code);
        Assert.Contains("exit code 2", failed.Reason.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Exit_codes_are_retried_where_the_policy_says_so_but_for_the_final_ones()
    {
        JobState job = Accepted(SpecOf(RetryPolicy.Default with { RetryExitCodes = true, FinalExitCodes = [64] }));
        Assert.IsType<RetryingEvent>(JobRules.AfterAttempt(job, Exit2, Start, 0));
        Assert.IsType<FailedEvent>(JobRules.AfterAttempt(job, Exit2 with { ExitCode = 64 }, Start, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void When_the_attempts_are_used_up_the_job_pauses_or_fails_by_policy(bool fails)
    {
        JobState job = Accepted(SpecOf(RetryPolicy.Default with { Attempts = 2, FailWhenUsedUp = fails }));
        job = Ended(job, TimedOut);
        Assert.Equal(JobStateName.Retrying, job.Name);
        job = Ended(Placed(job), TimedOut);
        Assert.Equal((fails ? JobStateName.Failed : JobStateName.Paused, 2, MeshErrors.RetriesUsedUp), (job.Name, job.Attempt, job.Reason!.Code));
    }

    [Fact]
    public void The_wait_doubles_up_to_its_bound_and_jitter_only_adds()
    {
        var policy = RetryPolicy.Default with { BackoffMin = TimeSpan.FromSeconds(1), BackoffMax = TimeSpan.FromSeconds(10), Jitter = 0.5 };
        Assert.Equal([1, 2, 4, 8, 10, 10], Enumerable.Range(1, 6).Select(n => policy.BackoffAfter(n, 0).TotalSeconds));
        Assert.Equal(15, policy.BackoffAfter(1_000_000, 1).TotalSeconds);
        Assert.Equal(1.25, policy.BackoffAfter(1, 0.5).TotalSeconds);
    }

    [Fact]
    public void A_retry_waits_for_its_time_and_for_the_device()
    {
        JobState job = Ended(Accepted(Spec), TimedOut);
        DateTimeOffset due = job.NextAttemptAt!.Value;
        Assert.Null(JobRules.AfterTime(job, Life, due.AddMilliseconds(-1), 0));
        Assert.Null(JobRules.AfterTime(job, null, due, 0));
        PlacedEvent placed = Assert.IsType<PlacedEvent>(JobRules.AfterTime(job, Life, due, 0));
        Assert.Equal(2, placed.Placement.Attempt);
    }

    [Fact]
    public void That_a_node_was_restarted_does_not_lose_the_attempt() =>
        Assert.Null(JobRules.AfterTime(Accepted(Spec).Heard(Start), Life + 1, Start, 0));

    [Fact]
    public void A_device_that_is_away_is_waited_for_longer_than_one_that_is_silent()
    {
        JobState job = Accepted(Spec).Heard(Start);
        TimeSpan away = TimeSpan.FromHours(1);
        Assert.Null(JobRules.AfterTime(job, null, Start + away - TimeSpan.FromTicks(1), 0, away));
        RetryingEvent lost = Assert.IsType<RetryingEvent>(JobRules.AfterTime(job, null, Start + away, 0, away));
        Assert.Equal((AttemptOutcome.Lost, MeshErrors.AttemptLost), (lost.Result.Outcome, lost.Result.Problem!.Code));
        Assert.IsType<RetryingEvent>(JobRules.AfterTime(job, Life, Start + Spec.Timeouts.Heartbeat, 0, away));
    }

    [Fact]
    public void Silence_for_the_heartbeat_timeout_loses_the_attempt_and_being_heard_puts_that_off()
    {
        TimeSpan limit = Spec.Timeouts.Heartbeat;
        JobState job = Accepted(Spec);
        Assert.Null(JobRules.AfterTime(job, Life, Start + limit - TimeSpan.FromTicks(1), 0));
        Assert.IsType<RetryingEvent>(JobRules.AfterTime(job, Life, Start + limit, 0));
        Assert.Null(JobRules.AfterTime(job.Heard(Start + (limit / 2)), Life, Start + limit, 0));
        Assert.Null(JobRules.AfterTime(job.Recovered(Start + limit), Life, Start + limit, 0));
    }

    [Fact]
    public void An_unreachable_device_is_waited_for_as_long_as_its_heartbeat_may_be_missing() =>
        Assert.Null(JobRules.AfterTime(Accepted(Spec).Heard(Start), null, Start.AddSeconds(1), 0));

    [Theory]
    [InlineData(AttemptOutcome.Succeeded)]
    [InlineData(AttemptOutcome.Failed)]
    [InlineData(AttemptOutcome.Cancelled)]
    [InlineData(AttemptOutcome.TimedOut)]
    public void After_the_wish_to_cancel_every_end_is_Cancelled(AttemptOutcome outcome)
    {
        JobState job = Accepted(Spec).Apply(new CancelRequestedEvent(Start, Laptop));
        Assert.IsType<CancelledEvent>(JobRules.AfterAttempt(job, new AttemptResult(outcome), Start, 0));
        Assert.IsType<CancelledEvent>(JobRules.AfterUnknown(job, Start, 0));
    }

    [Fact]
    public void A_cancel_that_nobody_confirms_ends_with_a_note()
    {
        JobState job = Accepted(Spec).Heard(Start).Apply(new CancelRequestedEvent(Start, Laptop));
        DateTimeOffset late = Start + JobRules.CancelConfirmedWithin;
        Assert.Null(JobRules.AfterTime(job.Heard(late), Life, late.AddTicks(-1), 0));
        CancelledEvent cancelled = Assert.IsType<CancelledEvent>(JobRules.AfterTime(job.Heard(late), Life, late, 0));
        Assert.Equal(MeshErrors.CancelUnconfirmed, cancelled.Note!.Code);
    }

    [Fact]
    public void The_queue_timeout_counts_each_wait_for_the_device_and_not_the_backoff()
    {
        JobSpec spec = SpecOf(timeouts: JobTimeouts.Default with { Queue = TimeSpan.FromMinutes(1) });
        JobState queued = JobState.None(Job).Apply(JobRules.Accept(spec, null, Start));
        Assert.Null(JobRules.AfterTime(queued, null, Start.AddSeconds(59), 0));
        Assert.Equal(MeshErrors.QueueTimeout, Assert.IsType<PausedEvent>(JobRules.AfterTime(queued, null, Start.AddSeconds(60), 0)).Reason.Code);

        JobState retrying = Ended(Accepted(spec), TimedOut);
        DateTimeOffset due = retrying.NextAttemptAt!.Value;
        Assert.Null(JobRules.AfterTime(retrying, null, due.AddSeconds(59), 0));
        Assert.IsType<PausedEvent>(JobRules.AfterTime(retrying, null, due.AddSeconds(60), 0));
    }

    [Fact]
    public void The_total_timeout_fails_the_job_in_every_state_and_begins_anew_when_a_person_retries()
    {
        JobSpec spec = SpecOf(timeouts: JobTimeouts.Default with { Total = TimeSpan.FromSeconds(20) });
        DateTimeOffset late = Start.AddSeconds(20);
        foreach (JobState job in (JobState[])[JobState.None(Job).Apply(JobRules.Accept(spec, null, Start)), Accepted(spec), Accepted(spec).Heard(Start), Ended(Accepted(spec), TimedOut)])
        {
            Assert.Null(JobRules.AfterTime(job, job.Name.HasAttempt() ? Life : null, late.AddTicks(-1), 0));
            FailedEvent failed = Assert.IsType<FailedEvent>(JobRules.AfterTime(job, null, late, 0));
            Assert.Equal(MeshErrors.TotalTimeout, failed.Reason.Code);
            JobState again = job.Apply(failed).Apply(new RetriedEvent(late, Laptop));
            Assert.Null(JobRules.AfterTime(again, null, late.AddSeconds(19), 0));
        }
    }

    [Fact]
    public void A_retry_by_a_person_gives_all_attempts_again_and_goes_on_counting()
    {
        JobState job = Accepted(SpecOf(RetryPolicy.Default with { Attempts = 1 }));
        job = Ended(job, TimedOut);
        Assert.Equal(JobStateName.Paused, job.Name);
        job = job.Apply(new RetriedEvent(Start, Laptop));
        Assert.Equal((JobStateName.Queued, 0), (job.Name, job.AttemptsSinceRetry));
        Assert.Equal(2, Placed(job).Attempt);
    }

    [Fact]
    public void The_output_of_a_recorded_end_is_wanted_and_that_of_a_given_up_or_older_attempt_is_not()
    {
        Assert.False(JobRules.HasRecordedEnd(JobState.None(Job), 1));
        Assert.False(JobRules.HasRecordedEnd(Accepted(Spec), 1));

        JobState retrying = Ended(Accepted(Spec), TimedOut);
        Assert.True(JobRules.HasRecordedEnd(retrying, 1));
        Assert.False(JobRules.HasRecordedEnd(retrying, 2));
        Assert.False(JobRules.HasRecordedEnd(Placed(retrying), 1));
        Assert.False(JobRules.HasRecordedEnd(Ended(Accepted(Spec), new AttemptResult(AttemptOutcome.Lost)), 1));

        JobState unconfirmed = Placed(retrying).Apply(new CancelRequestedEvent(Start, Laptop)).Apply(new CancelledEvent(Start, 2, null, new Problem(MeshErrors.CancelUnconfirmed, "")));
        Assert.False(JobRules.HasRecordedEnd(unconfirmed, 2));
        Assert.True(JobRules.HasRecordedEnd(Ended(Accepted(Spec), Done).Apply(new RetriedEvent(Start, Laptop)), 1));
    }

    [Fact]
    public void A_result_beyond_the_limit_is_refused_whatever_the_device_says()
    {
        AttemptResult bounded = JobRules.Bounded(Done with { Text = new string('é', AttemptResult.TextBytesMax / 2 + 1) });
        Assert.Equal((AttemptOutcome.Refused, null, MeshErrors.TooLarge), (bounded.Outcome, bounded.Text, bounded.Problem!.Code));
        Assert.Same(Done, JobRules.Bounded(Done));
    }

    [Fact]
    public void What_time_will_change_next_is_foreseen_and_never_in_the_past()
    {
        JobSpec spec = SpecOf(timeouts: new JobTimeouts(TimeSpan.FromMinutes(1), null, TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(30)));
        Assert.Equal(Start.AddSeconds(30), JobRules.NextChange(Accepted(spec), Start));
        Assert.Equal(Start.AddMinutes(1), JobRules.NextChange(JobState.None(Job).Apply(JobRules.Accept(spec, null, Start)), Start));
        JobState retrying = Ended(Accepted(spec), TimedOut);
        Assert.Equal(retrying.NextAttemptAt, JobRules.NextChange(retrying, Start));
        Assert.Equal(retrying.NextAttemptAt!.Value.AddMinutes(1), JobRules.NextChange(retrying, retrying.NextAttemptAt.Value));
        Assert.Null(JobRules.NextChange(JobState.None(Job).Apply(JobRules.Accept(Spec, null, Start)), Start));
    }

    [Fact]
    public void A_snapshot_brings_back_the_same_state()
    {
        JobState[] states =
        [
            JobState.None(Job).Apply(JobRules.Accept(Spec, null, Start)),
            Ended(Accepted(Spec), TimedOut),
            Placed(Ended(Accepted(Spec), TimedOut)).Apply(new CancelRequestedEvent(Start, Laptop)),
            Ended(Accepted(Spec), Done),
            Ended(Accepted(Spec), Exit2).Apply(new RetriedEvent(Start.AddHours(1), Laptop)),
        ];
        Assert.All(states, state => Assert.Equal(state with { HeardAt = null }, JobSnapshot.Of(state).ToState(Job)));
    }

    private static JobState Accepted(JobSpec spec) => JobState.None(Job).Apply(JobRules.Accept(spec, Life, Start));

    private static JobState Ended(JobState job, AttemptResult result) => job.Apply(JobRules.AfterAttempt(job, result, Start, 0));

    private static JobState Placed(JobState job) => job.Apply(JobRules.Place(job, Life, job.NextAttemptAt ?? Start));
}
