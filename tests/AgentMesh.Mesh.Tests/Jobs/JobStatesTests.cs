using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>Every state survives the end of its actor, and takes the wishes of people as documented.</summary>
public sealed class JobStatesTests
{
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

    public static TheoryData<JobStateName> All => [.. Enum.GetValues<JobStateName>().Except([JobStateName.InputRequired])];

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_job_is_the_same_after_its_actor_died(JobStateName state)
    {
        await using var lab = new JobLab();
        JobView before = await Reach(lab, state);
        await lab.Kill();
        JobView after = await lab.Ask<JobView>(new WakeJob(Job));

        // Whether the device still has the attempt is asked anew.
        Assert.Equal(before with { State = state == JobStateName.Running ? JobStateName.Placing : state, WaitingFor = state == JobStateName.Running ? after.WaitingFor : before.WaitingFor }, after);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_revived_job_goes_on_by_itself(JobStateName state)
    {
        await using var lab = new JobLab();
        await Reach(lab, state);
        int stored = lab.Stored.Count;
        await lab.Kill();
        lab.Workers.Forget();
        await lab.Ask<JobView>(new WakeJob(Job));
        lab.Come();
        lab.Time.Advance(TimeSpan.FromSeconds(2));
        if (state.IsAtRest())
        {
            await Task.Delay(300);
            Assert.Equal((0, stored), (lab.Workers.Waiting, lab.Stored.Count));
            return;
        }

        int attempt = (await lab.Workers.Next<RunAttempt>()).Attempt;
        lab.Say(new AttemptEnded(Job, attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")));
        await lab.Until(JobStateName.Completed);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Cancel_in_each_state(JobStateName state)
    {
        await using var lab = new JobLab();
        await Reach(lab, state);
        object answer = await lab.Ask(new CancelJob(Job, Laptop));
        switch (state)
        {
            case JobStateName.Completed or JobStateName.Failed:
                Assert.Equal(MeshErrors.NotInThisState, Assert.IsType<JobProblem>(answer).Problem.Code);
                break;
            case JobStateName.Placing or JobStateName.Running:
                Assert.True(Assert.IsType<JobView>(answer).CancelRequested);
                await lab.Workers.Next<CancelAttempt>();

                // The wish survives the actor, and the order is given until it is confirmed.
                await lab.Kill();
                Assert.True((await lab.Ask<JobView>(new WakeJob(Job))).CancelRequested);
                await lab.Workers.Next<CancelAttempt>();
                lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")));
                Assert.Equal("3", (await lab.Until(JobStateName.Cancelled)).Result!.Text);
                break;
            default:
                Assert.Equal(JobStateName.Cancelled, Assert.IsType<JobView>(answer).State);
                break;
        }
    }

    [Fact]
    public async Task A_cancel_that_the_device_does_not_confirm_ends_with_a_note()
    {
        await using var lab = new JobLab();
        await Reach(lab, JobStateName.Running);
        await lab.Ask<JobView>(new CancelJob(Job, Laptop));
        lab.Time.Advance(JobRules.CancelConfirmedWithin);
        Assert.Equal(MeshErrors.CancelUnconfirmed, (await lab.Until(JobStateName.Cancelled)).Problem!.Code);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Retry_in_each_state(JobStateName state)
    {
        await using var lab = new JobLab();
        JobView before = await Reach(lab, state);
        object answer = await lab.Ask(new RetryJob(Job, Laptop));
        if (state is not (JobStateName.Paused or JobStateName.Failed or JobStateName.Cancelled))
        {
            Assert.Equal(MeshErrors.NotInThisState, Assert.IsType<JobProblem>(answer).Problem.Code);
            return;
        }

        Assert.Equal(JobStateName.Queued, Assert.IsType<JobView>(answer).State);
        Assert.Equal(before.Attempt + 1, (await lab.Workers.Next<RunAttempt>()).Attempt);
    }

    private static async Task<JobView> Reach(JobLab lab, JobStateName state)
    {
        if (state == JobStateName.Queued)
        {
            lab.Leave();
            await lab.Ask<JobAccepted>(new SubmitJob(Job, SpecOf(queue: true)));
            return await lab.View();
        }

        await lab.Submit(SpecOf(state == JobStateName.Paused ? RetryPolicy.Default with { Attempts = 1 } : null));
        switch (state)
        {
            case JobStateName.Running:
                lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
                break;
            case JobStateName.Retrying or JobStateName.Paused:
                lab.Say(new AttemptEnded(Job, 1, TimedOut));
                break;
            case JobStateName.Completed:
                lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")));
                break;
            case JobStateName.Failed:
                lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Failed, 7)));
                break;
            case JobStateName.Cancelled:
                await lab.Ask<JobView>(new CancelJob(Job, Laptop));
                lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Cancelled)));
                break;
        }

        JobView view = await lab.Until(state);
        lab.Workers.Forget();
        return view;
    }
}
