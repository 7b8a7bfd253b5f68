using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Turns;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobEntityTests
{
    private static readonly AttemptResult Three = new(AttemptOutcome.Succeeded, 0, "3");
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

    [Fact]
    public async Task A_happy_job_costs_two_events_and_its_waiter_gets_the_result()
    {
        await using var lab = new JobLab();
        RunAttempt order = await lab.Submit();
        Assert.Equal((1, JobLab.Life, Spec.Command), (order.Attempt, order.Incarnation, order.Command));
        Task<object> waiting = lab.Ask(new AwaitJob(Job, DateTimeOffset.MaxValue));

        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        lab.Say(new AttemptEnded(Job, 1, Three));

        Assert.True((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        JobView view = Assert.IsType<JobView>(await waiting);
        Assert.Equal((JobStateName.Completed, "3"), (view.State, view.Result!.Text));
        Assert.Equal([typeof(AcceptedEvent), typeof(CompletedEvent)], lab.Stored.Select(change => change.GetType()));
    }

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
    public async Task A_job_of_a_group_begins_when_its_turn_has_come_and_asks_again_after_the_process_died()
    {
        await using var lab = new JobLab();
        await lab.Ask<JobAccepted>(new SubmitJob(Job, Spec with { Needs = JobNeeds.Parse(null, 4, "train") }));
        (AskTurn ask, IActorRef asker) = await lab.NextTurn();
        Assert.Equal((new GroupId(Home, "train"), 4, "ada"), (ask.GroupId, ask.Priority, ask.Share));
        asker.Tell(new TurnAnswer(Job, IsGranted: false, "the group train is full"), lab.Groups);
        await lab.Until(JobStateName.Queued, view => view.WaitingFor == "the group train is full");

        await lab.Kill();
        await lab.Ask<JobView>(new WakeJob(Job));
        (_, asker) = await lab.NextTurn();
        Assert.Equal(0, lab.Workers.Waiting);
        asker.Tell(new TurnAnswer(Job, IsGranted: true, null), lab.Groups);
        Assert.Equal(1, (await lab.Workers.Next<RunAttempt>()).Attempt);
        lab.Say(new AttemptEnded(Job, 1, TimedOut));

        // The turn is kept while it is tried again.
        await lab.Until(JobStateName.Retrying);
        lab.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(2, (await lab.Workers.Next<RunAttempt>(order => order.Attempt > 1)).Attempt);
    }

    [Fact]
    public async Task A_job_of_a_group_does_not_ask_for_its_turn_while_its_device_is_away()
    {
        await using var lab = new JobLab();
        lab.Leave();
        await lab.Ask<JobAccepted>(new SubmitJob(Job, SpecOf(queue: true) with { Needs = JobNeeds.Parse(null, null, "train") }));
        Assert.Contains("is offline", (await lab.View()).WaitingFor, StringComparison.Ordinal);
        await Task.Delay(300);
        Assert.Equal(0, lab.TurnsAsked);
        lab.Come();
        await lab.NextTurn();
    }

    [Fact]
    public async Task Nothing_is_answered_before_it_is_stored()
    {
        await using var lab = new JobLab();
        var gate = new TaskCompletionSource();
        lab.BeforeWrite = _ => gate.Task;
        Task<object> answer = lab.Ask(new SubmitJob(Job, Spec));

        await Task.Delay(100);
        Assert.False(answer.IsCompleted);
        Assert.Equal(0, lab.Workers.Waiting);

        gate.SetResult();
        Assert.IsType<JobAccepted>(await answer);
    }

    [Fact]
    public async Task A_journal_that_fails_is_reported_and_the_same_submission_may_be_repeated()
    {
        await using var lab = new JobLab();
        lab.BeforeWrite = _ => Task.FromException(new IOException("disk full"));
        JobProblem problem = await lab.Ask<JobProblem>(new SubmitJob(Job, Spec));
        Assert.Equal(MeshErrors.NotStored, problem.Problem.Code);
        Assert.Contains("disk full", problem.Problem.Text, StringComparison.Ordinal);

        lab.BeforeWrite = null;
        await lab.Kill();
        await lab.Submit();
    }

    [Fact]
    public async Task A_repeated_submission_is_answered_like_the_first_and_runs_nothing_again()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(key: "k"));
        Assert.True((await lab.Ask<JobAccepted>(new SubmitJob(Job, SpecOf(key: "k")))).Repeated);
        Assert.Equal(MeshErrors.KeyReused, (await lab.Ask<JobProblem>(new SubmitJob(Job, SpecOf(key: "k", command: JobCommand.Handler("calc 2"))))).Problem.Code);
        Assert.Single(lab.Stored);
    }

    /// <summary>Found by trial 5: its caller asked every 2 s how the job goes, and it did not notice that its device was back for as long as he did.</summary>
    [Fact]
    public async Task Who_asks_again_and_again_does_not_keep_a_job_from_looking_for_its_device()
    {
        await using var lab = new JobLab();
        lab.Leave();
        Assert.False((await lab.Ask<JobAccepted>(new SubmitJob(Job, SpecOf(queue: true)))).Repeated);
        Task<RunAttempt> order = lab.Workers.Next<RunAttempt>();
        for (int asked = 0; asked < 300 && !order.IsCompleted; asked++)
        {
            if (asked == 20)
            {
                lab.Come();
            }

            lab.Shard.Tell(new AwaitJob(Job, DateTimeOffset.MaxValue), lab.Workers);
            await Task.Delay(20);
        }

        Assert.True(order.IsCompleted, "it was sent to its device meanwhile");
    }

    [Fact]
    public async Task A_job_for_a_device_that_is_away_is_refused_or_waits_as_the_caller_wants()
    {
        await using var lab = new JobLab();
        lab.Leave();
        Problem refused = (await lab.Ask<JobProblem>(new SubmitJob(Job, Spec))).Problem;
        Assert.Equal((MeshErrors.PeerOffline, "gpu-box is offline, last seen 3 min ago"), (refused.Code, refused.Text));
        Assert.Empty(lab.Stored);

        await lab.Ask<JobAccepted>(new SubmitJob(Job, SpecOf(queue: true)));
        Assert.StartsWith("gpu-box is offline", (await lab.View()).WaitingFor, StringComparison.Ordinal);
        lab.Come();
        Assert.Equal(1, (await lab.Workers.Next<RunAttempt>()).Attempt);
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
    public async Task Other_devices_neither_submit_nor_change_and_only_the_executing_one_reads()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new GetJob(Job));
        await lab.Workers.Next<JobView>();
        foreach (object message in (object[])[new SubmitJob(Job, Spec), new CancelJob(Job, Laptop), new RetryJob(Job, Laptop)])
        {
            lab.Say(message);
            Assert.Equal(MeshErrors.NotYours, (await lab.Workers.Next<JobProblem>()).Problem.Code);
        }

        var stranger = new ForeignRef((ExtendedActorSystem)lab.System, Third, "reader");
        lab.Shard.Tell(new GetJob(Job), stranger);
        Assert.Equal(MeshErrors.NotYours, (await stranger.Next<JobProblem>()).Problem.Code);
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

    [Theory]
    [InlineData(-3600)]
    [InlineData(3600)]
    public async Task A_clock_that_is_set_neither_loses_an_attempt_nor_stretches_a_wait(int seconds)
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { BackoffMin = TimeSpan.FromMinutes(1) }));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        await lab.Until(JobStateName.Running);
        lab.Time.Set(TimeSpan.FromSeconds(seconds));
        for (int look = 0; look < 5; look++)
        {
            await Task.Delay(50);
            Assert.Equal(JobStateName.Running, (await lab.View()).State);
        }

        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.TimedOut)));
        await lab.Until(JobStateName.Retrying);
        lab.Time.Set(TimeSpan.FromSeconds(-seconds));
        await Task.Delay(300);
        Assert.Equal(JobStateName.Retrying, (await lab.View()).State);
        lab.Time.Advance(TimeSpan.FromSeconds(75));
        Assert.Equal(2, await NextAttempt(lab, 2));
    }

    [Fact]
    public async Task A_wait_that_was_written_down_while_the_clock_was_ahead_is_cut_to_what_it_can_be()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(RetryPolicy.Default with { BackoffMin = TimeSpan.FromMinutes(1) }));
        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.TimedOut)));
        await lab.Until(JobStateName.Retrying);
        await lab.Kill();
        lab.Time.Set(TimeSpan.FromDays(-30));
        await lab.View();
        lab.Time.Advance(TimeSpan.FromSeconds(75));

        Assert.Equal(2, await NextAttempt(lab, 2));
    }

    private static async Task<int> NextAttempt(JobLab lab, int wanted)
    {
        while (true)
        {
            if ((await lab.Workers.Next<RunAttempt>()).Attempt == wanted)
            {
                return wanted;
            }
        }
    }

    [Fact]
    public async Task The_total_timeout_ends_the_attempt_too()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(timeouts: JobTimeouts.Default with { Total = TimeSpan.FromSeconds(10) }));
        lab.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(MeshErrors.TotalTimeout, (await lab.Until(JobStateName.Failed)).Problem!.Code);
        Assert.Equal(1, (await lab.Workers.Next<CancelAttempt>()).Attempt);
    }

    [Fact]
    public async Task A_reader_is_answered_at_its_deadline_with_what_is_known_then()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        Task<object> waiting = lab.Ask(new AwaitJob(Job, lab.Time.GetUtcNow() + TimeSpan.FromSeconds(5)));

        // Less than an attempt may be silent: its state is the same whenever the question arrives.
        lab.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(JobStateName.Placing, Assert.IsType<JobView>(await waiting).State);
    }

    [Fact]
    public async Task Questions_about_a_job_that_never_was_are_answered_and_leave_nothing()
    {
        await using var lab = new JobLab(restAfter: TimeSpan.FromMilliseconds(50));
        foreach (object message in (object[])[new GetJob(Job), new WakeJob(Job), new AwaitJob(Job, DateTimeOffset.MaxValue), new CancelJob(Job, Laptop), new RetryJob(Job, Laptop)])
        {
            Assert.Equal(MeshErrors.UnknownJob, (await lab.Ask<JobProblem>(message)).Problem.Code);
        }

        lab.Say(new AttemptHeartbeat(Job, 1, 0, 0));
        await lab.Workers.Next<CancelAttempt>();
        lab.Say(new AttemptEnded(Job, 1, Three));
        Assert.False((await lab.Workers.Next<AttemptEndedAck>()).Recorded);
        await UntilGone(lab);
        Assert.Empty(lab.Stored);
    }

    [Fact]
    public async Task A_job_at_rest_leaves_the_memory_and_one_that_waits_does_not()
    {
        await using var lab = new JobLab(restAfter: TimeSpan.FromMilliseconds(50));
        await lab.Submit();
        await Task.Delay(200);
        Assert.True(await lab.Shard.Ask<bool>(new JobLab.IsAlive(Job), JobLab.Patience));
        lab.Say(new AttemptEnded(Job, 1, Three));
        await UntilGone(lab);
        Assert.Equal("3", (await lab.View()).Result!.Text);
    }

    [Fact]
    public async Task Many_retries_leave_a_snapshot_and_the_same_state()
    {
        await using var lab = new JobLab();
        await lab.Submit(SpecOf(new RetryPolicy(1, TimeSpan.Zero, TimeSpan.Zero, 0, true, [], false)));
        for (int attempt = 1; attempt <= 120; attempt++)
        {
            lab.Say(new AttemptEnded(Job, attempt, TimedOut));
            await lab.Until(JobStateName.Paused);
            await lab.Ask<JobView>(new RetryJob(Job, Laptop));
            while ((await lab.Workers.Next<RunAttempt>()).Attempt != attempt + 1)
            {
            }
        }

        JobView before = await lab.View();
        await lab.Kill();
        Assert.Equal(before, await lab.View());
        Assert.Equal(121, before.Attempt);
    }

    private static async Task UntilGone(JobLab lab)
    {
        using var limit = new CancellationTokenSource(JobLab.Patience);
        while (await lab.Shard.Ask<bool>(new JobLab.IsAlive(Job), JobLab.Patience))
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
