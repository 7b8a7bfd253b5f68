using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobCheckpointTests
{
    private static readonly AttemptResult Three = new(AttemptOutcome.Succeeded, 0, "3");
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

    [Fact]
    public async Task The_next_attempt_begins_from_the_checkpoint_that_the_last_one_left()
    {
        await using var lab = new JobLab();
        Assert.Null((await lab.Submit()).Checkpoint);
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        lab.Say(new AttemptCheckpoint(Job, 1, 1, Of(1)));
        Assert.Equal(1, (await lab.Workers.Next<CheckpointKept>()).Number);
        lab.Say(new AttemptCheckpoint(Job, 1, 2, Of(1)));
        Assert.Equal(2, (await lab.Workers.Next<CheckpointKept>()).Number);
        Assert.Single(lab.Stored.OfType<CheckpointedEvent>());
        Assert.Equal((1, 1), ((await lab.View()).Checkpoint!.Bytes, (await lab.View()).Checkpoint!.Attempt));

        await lab.Kill();
        await lab.View();
        Assert.Equal(Of(1), (await lab.Workers.Next<RunAttempt>()).Checkpoint);
        lab.Say(new AttemptEnded(Job, 1, TimedOut with { Checkpoint = Of(2, 3) }));
        lab.Time.Advance(TimeSpan.FromSeconds(1));
        RunAttempt second = await lab.Workers.Next<RunAttempt>();
        Assert.Equal((2, Of(2, 3)), (second.Attempt, second.Checkpoint));

        lab.Say(new AttemptCheckpoint(Job, 1, 3, Of(9)));
        Assert.Equal(1, (await lab.Workers.Next<CancelAttempt>()).Attempt);
        lab.Say(new AttemptEnded(Job, 2, Three));
        await lab.Until(JobStateName.Completed);
        Assert.Null((await lab.View()).Checkpoint);
    }

    [Fact]
    public async Task A_person_decides_whether_a_job_begins_from_its_checkpoint_again()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Failed, 3) { Checkpoint = Of(7) }));
        await lab.Until(JobStateName.Failed);
        await lab.Ask<JobView>(new RetryJob(Job, Laptop));
        Assert.Equal(Of(7), (await lab.Workers.Next<RunAttempt>()).Checkpoint);

        lab.Say(new AttemptEnded(Job, 2, new AttemptResult(AttemptOutcome.Failed, 3)));
        await lab.Until(JobStateName.Failed);
        await lab.Ask<JobView>(new RetryJob(Job, Laptop, FromStart: true));
        Assert.Null((await lab.Workers.Next<RunAttempt>()).Checkpoint);
    }

    private static Checkpoint Of(params byte[] data) => new([.. data]);
}
