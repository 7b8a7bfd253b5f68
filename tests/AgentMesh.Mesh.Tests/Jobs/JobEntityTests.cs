using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>What a job answers, stores and remembers.</summary>
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
