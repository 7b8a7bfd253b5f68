using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>The talk of a job with the device that has its attempt.</summary>
public sealed class JobAttemptTests
{
    private static readonly AttemptResult Three = new(AttemptOutcome.Succeeded, 0, "3");
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

    [Fact]
    public async Task An_attempt_that_waits_on_its_device_says_for_what_until_it_runs()
    {
        await using var lab = new JobLab();
        JobNeeds needs = JobNeeds.Parse(["gpu=1"], 2, null);
        RunAttempt order = await lab.Submit(Spec with { Needs = needs });
        Assert.Equal(needs, order.Needs);

        lab.Say(new AttemptStarted(Job, 1, JobLab.Life) { Waiting = "gpu on gpu-box: 1 of 1 in use by job x" });
        JobView view = await lab.Until(JobStateName.Placing, view => view.WaitingFor != null && view.WaitingFor.Contains("gpu", StringComparison.Ordinal));
        Assert.Equal("waiting for gpu on gpu-box: 1 of 1 in use by job x", view.WaitingFor);

        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        Assert.Null((await lab.Until(JobStateName.Running)).WaitingFor);
    }

    [Fact]
    public async Task An_attempt_that_only_waited_when_its_device_was_restarted_is_not_one_of_those_allowed()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { Attempts = 1 }));
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            lab.Say(new AttemptHeartbeat(Job, attempt, 0, 0) { Waiting = "gpu" });
            lab.Say(new AttemptUnknown(Job, attempt, JobLab.Life + attempt));
            Assert.Equal(attempt + 1, (await lab.Workers.Next<RunAttempt>(order => order.Attempt > attempt)).Attempt);
        }

        lab.Say(new AttemptStarted(Job, 4, JobLab.Life));
        lab.Say(new AttemptUnknown(Job, 4, JobLab.Life));
        Assert.Equal(MeshErrors.RetriesUsedUp, (await lab.Until(JobStateName.Paused)).Problem!.Code);
    }

    [Fact]
    public async Task A_job_that_is_refused_for_now_comes_again_when_it_was_told_to()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { Attempts = 1 }));
        var refusal = new AttemptResult(AttemptOutcome.Refused, Problem: new Problem("AM0631", "too many")) { RetryAfter = TimeSpan.FromSeconds(30) };
        lab.Say(new AttemptEnded(Job, 1, refusal));

        JobView view = await lab.Until(JobStateName.Retrying);
        Assert.InRange(view.NextAttemptAt!.Value - view.PlacedAt!.Value, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        Assert.Contains("AM0631: too many", view.WaitingFor, StringComparison.Ordinal);
        lab.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(2, (await lab.Workers.Next<RunAttempt>(order => order.Attempt > 1)).Attempt);
        lab.Say(new AttemptEnded(Job, 2, Three));
        await lab.Until(JobStateName.Completed);
    }

    [Fact]
    public async Task An_order_is_repeated_until_the_device_answers()
    {
        await using var lab = new JobLab();
        RunAttempt order = await lab.Submit();
        Assert.Equal(order, await lab.Workers.Next<RunAttempt>());
        Assert.Equal(order, await lab.Workers.Next<RunAttempt>());
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
    }

    [Fact]
    public async Task Messages_of_an_older_attempt_change_nothing_and_stop_it()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptEnded(Job, 1, TimedOut));
        lab.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, (await lab.Workers.Next<RunAttempt>()).Attempt);

        lab.Say(new AttemptHeartbeat(Job, 1, 0, 0));
        Assert.Equal(1, (await lab.Workers.Next<CancelAttempt>()).Attempt);
        lab.Say(new AttemptEnded(Job, 1, Three));
        Assert.False((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        lab.Say(new AttemptUnknown(Job, 1, JobLab.Life));
        JobView view = await lab.View();
        Assert.Equal((JobStateName.Placing, 2, AttemptOutcome.TimedOut), (view.State, view.Attempt, view.Result!.Outcome));
    }

    [Fact]
    public async Task Progress_stands_while_the_attempt_runs_and_is_not_journalled()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        var half = new Progress(0.5, "half");
        lab.Say(new AttemptHeartbeat(Job, 1, 0, 0) { Progress = half });
        lab.Say(new AttemptHeartbeat(Job, 1, 0, 0));
        await lab.Until(JobStateName.Running);
        Assert.Equal(half, (await lab.View()).Progress);
        Assert.Single(lab.Stored);

        lab.Say(new AttemptEnded(Job, 1, TimedOut));
        await lab.Until(JobStateName.Retrying);
        Assert.Null((await lab.View()).Progress);
    }

    [Fact]
    public async Task An_end_that_is_told_twice_is_recorded_once_and_acknowledged_twice()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptEnded(Job, 1, TimedOut));
        Assert.True((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        lab.Say(new AttemptEnded(Job, 1, TimedOut));
        Assert.True((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        Assert.Single(lab.Stored.OfType<RetryingEvent>());
    }

    [Fact]
    public async Task Only_the_executing_device_is_believed_about_an_attempt()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        var stranger = new ForeignRef((ExtendedActorSystem)lab.System, Third, "workers");
        lab.Shard.Tell(new AttemptEnded(Job, 1, Three), stranger);
        lab.Shard.Tell(new AttemptUnknown(Job, 1, JobLab.Life), stranger);
        lab.Shard.Tell(new AttemptStarted(Job, 1, JobLab.Life), stranger);
        lab.Shard.Tell(new AttemptEnded(Job, 1, Three), ActorRefs.NoSender);
        lab.Shard.Tell(new CancelJob(Job, Laptop), ActorRefs.NoSender);
        JobView view = await lab.View();
        Assert.Equal((JobStateName.Placing, false), (view.State, view.CancelRequested));
        Assert.Equal(0, stranger.Waiting);
    }

    [Fact]
    public async Task A_device_that_was_restarted_is_asked_for_the_attempt_and_keeps_it_when_it_has_it()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Come(JobLab.Life + 1);
        RunAttempt asked = await lab.Workers.Next<RunAttempt>();
        Assert.Equal((1, JobLab.Life), (asked.Attempt, asked.Incarnation));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life + 1));
        await lab.Until(JobStateName.Running);
        lab.Say(new AttemptEnded(Job, 1, Three));
        Assert.Equal(1, (await lab.Until(JobStateName.Completed)).Attempt);
    }

    [Fact]
    public async Task A_device_that_was_away_for_long_is_asked_before_its_attempt_counts_as_lost()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Leave();
        while ((await lab.View()).WaitingFor is null)
        {
            await Task.Delay(10);
        }

        lab.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(JobStateName.Running, (await lab.View()).State);
        lab.Come();
        Assert.Equal(1, (await lab.Workers.Next<RunAttempt>()).Attempt);
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        Assert.Equal(1, (await lab.Until(JobStateName.Running)).Attempt);
    }

    [Fact]
    public async Task A_device_that_was_restarted_in_between_and_has_lost_the_attempt_gets_the_next_one()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Come(JobLab.Life + 1);
        await lab.Workers.Next<RunAttempt>();
        lab.Say(new AttemptUnknown(Job, 1, JobLab.Life + 1));
        await lab.Until(JobStateName.Retrying);
        lab.Time.Advance(TimeSpan.FromSeconds(1));
        RunAttempt second = await lab.Workers.Next<RunAttempt>();
        while (second.Attempt == 1)
        {
            // Asked more than once whether it has it.
            second = await lab.Workers.Next<RunAttempt>();
        }
        Assert.Equal((2, JobLab.Life + 1), (second.Attempt, second.Incarnation));
    }

    [Fact]
    public async Task An_attempt_that_the_device_does_not_know_is_tried_again()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptUnknown(Job, 1, JobLab.Life + 1));
        Assert.Equal(AttemptOutcome.Lost, (await lab.Until(JobStateName.Retrying)).Result!.Outcome);
    }

    [Fact]
    public async Task Silence_loses_the_attempt_and_tells_the_device_to_end_it()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { Attempts = 1 }));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(MeshErrors.RetriesUsedUp, (await lab.Until(JobStateName.Paused)).Problem!.Code);
        Assert.Equal(1, (await lab.Workers.Next<CancelAttempt>()).Attempt);

        // It comes back and tells its end: too late.
        lab.Say(new AttemptEnded(Job, 1, Three));
        Assert.False((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        Assert.Equal(JobStateName.Paused, (await lab.View()).State);
    }
}
