using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class JobDependencyTests : IAsyncLifetime
{
    private static readonly JobId First = JobId.FromIdempotencyKey(Home, "first");
    private static readonly JobId Then = JobId.FromIdempotencyKey(Home, "then");

    private readonly JobLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Theory]
    [InlineData("ok:7f3kq2m", DependencyCondition.Ok, "7f3kq2m")]
    [InlineData("fail:a-7f3kq2m/3", DependencyCondition.Fail, "a-7f3kq2m/3")]
    [InlineData("any:job/x/y", DependencyCondition.Any, "job/x/y")]
    public void A_condition_and_a_job_are_read(string text, DependencyCondition condition, string job) => Assert.Equal((condition, job), JobDependency.Parse(text));

    [Theory]
    [InlineData("", 1)]
    [InlineData("7f3kq2m", 1)]
    [InlineData("okay:x", 1)]
    [InlineData("ok", 3)]
    [InlineData("ok:", 4)]
    public void A_wrong_one_is_refused_with_its_position(string text, int position)
    {
        MeshException error = Assert.Throws<MeshException>(() => JobDependency.Parse(text));
        Assert.Equal(MeshErrors.BadDependency, error.Code);
        Assert.StartsWith($"position {position}:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DependencyCondition.Ok, JobStateName.Completed, true)]
    [InlineData(DependencyCondition.Ok, JobStateName.Failed, false)]
    [InlineData(DependencyCondition.Ok, JobStateName.Cancelled, false)]
    [InlineData(DependencyCondition.Ok, JobStateName.Paused, null)]
    [InlineData(DependencyCondition.Fail, JobStateName.Completed, false)]
    [InlineData(DependencyCondition.Fail, JobStateName.Failed, true)]
    [InlineData(DependencyCondition.Fail, JobStateName.Cancelled, true)]
    [InlineData(DependencyCondition.Any, JobStateName.Completed, true)]
    [InlineData(DependencyCondition.Any, JobStateName.Failed, true)]
    [InlineData(DependencyCondition.Any, JobStateName.Running, null)]
    public void How_a_job_ended_decides(DependencyCondition condition, JobStateName state, bool? met) => Assert.Equal(met, new JobDependency(condition, First).IsMet(state));

    [Fact]
    public async Task It_begins_when_the_other_completed_and_not_before_also_after_a_crash()
    {
        RunAttempt first = await Submit(First);
        await Accepted(Then, DependencyCondition.Ok);
        Assert.Equal((JobStateName.Queued, $"waits for ok:{First.Short} (not over)"), await StateOf(Then));
        await _lab.Shard.Ask<string>(new JobLab.KillEntity(Then), JobLab.Patience);
        Assert.Equal(JobStateName.Queued, (await StateOf(Then)).State);

        _lab.Say(new AttemptEnded(First, first.Attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, "1")));
        RunAttempt then = await Next(Then);
        Assert.Equal((Then, 1), (then.JobId, then.Attempt));
        Assert.Single(_lab.Stored.OfType<ReleasedEvent>());

        // Released it stays, whatever becomes of the other.
        await _lab.Shard.Ask<string>(new JobLab.KillEntity(Then), JobLab.Patience);
        Assert.NotEqual(JobStateName.Queued, (await StateOf(Then)).State);
    }

    [Fact]
    public async Task It_is_cancelled_with_its_reason_when_the_other_ended_otherwise_and_waits_again_when_retried()
    {
        RunAttempt first = await Submit(First);
        await Accepted(Then, DependencyCondition.Ok);
        _lab.Say(new AttemptEnded(First, first.Attempt, new AttemptResult(AttemptOutcome.Failed, 3)));
        JobView view = await AwaitRest(Then);
        Assert.Equal((JobStateName.Cancelled, MeshErrors.DependencyNotMet, 0), (view.State, view.Problem!.Code, view.Attempt));

        await _lab.Ask<JobView>(new RetryJob(First, Laptop));
        RunAttempt again = await Next(First);
        await _lab.Ask<JobView>(new RetryJob(Then, Laptop));
        Assert.Equal(JobStateName.Queued, (await StateOf(Then)).State);
        _lab.Say(new AttemptEnded(First, again.Attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, "1")));
        Assert.Equal(Then, (await Next(Then)).JobId);
    }

    [Fact]
    public async Task One_that_waits_for_a_failure_begins_after_it_and_one_that_waits_can_be_cancelled()
    {
        RunAttempt first = await Submit(First);
        await Accepted(Then, DependencyCondition.Fail);
        JobId third = JobId.FromIdempotencyKey(Home, "third");
        await Accepted(third, DependencyCondition.Any);
        Assert.Equal(JobStateName.Cancelled, (await _lab.Ask<JobView>(new CancelJob(third, Laptop))).State);
        _lab.Say(new AttemptEnded(First, first.Attempt, new AttemptResult(AttemptOutcome.Failed, 3)));
        Assert.Equal(Then, (await Next(Then)).JobId);
        Assert.Equal(JobStateName.Cancelled, (await StateOf(third)).State);
    }

    [Theory]
    [InlineData(DependencyCondition.Ok)]
    [InlineData(DependencyCondition.Fail)]
    public async Task What_waits_for_a_job_that_was_removed_is_cancelled_with_its_reason(DependencyCondition condition)
    {
        await Accepted(Then, condition);
        JobView view = await AwaitRest(Then);
        Assert.Equal((JobStateName.Cancelled, MeshErrors.DependencyRemoved, 0), (view.State, view.Problem!.Code, view.Attempt));
    }

    [Fact]
    public async Task What_was_to_begin_however_a_job_ended_begins_when_that_was_removed()
    {
        await Accepted(Then, DependencyCondition.Any);
        Assert.Equal((Then, 1), (await Next(Then)) is var order ? (order.JobId, order.Attempt) : default);
    }

    private async Task<RunAttempt> Submit(JobId id)
    {
        await _lab.Ask<JobAccepted>(new SubmitJob(id, Spec));
        return await Next(id);
    }

    private Task<JobAccepted> Accepted(JobId id, DependencyCondition condition) =>
        _lab.Ask<JobAccepted>(new SubmitJob(id, Spec with { QueueWhenOffline = true, After = ImmutableArray.Create(new JobDependency(condition, First)) }));

    /// <summary>Orders are repeated until they are answered: those of other jobs are passed over.</summary>
    private async Task<RunAttempt> Next(JobId id)
    {
        while (true)
        {
            RunAttempt order = await _lab.Workers.Next<RunAttempt>();
            _lab.Say(new AttemptStarted(order.JobId, order.Attempt, order.Incarnation));
            if (order.JobId == id)
            {
                return order;
            }
        }
    }

    private async Task<(JobStateName State, string? WaitingFor)> StateOf(JobId id) => await _lab.Ask<JobView>(new GetJob(id)) is var view ? (view.State, view.WaitingFor) : default;

    private Task<JobView> AwaitRest(JobId id) => _lab.Ask<JobView>(new AwaitJob(id, DateTimeOffset.MaxValue));
}
