using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Cron.Entity;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>One schedule at its home with a journal in memory; the clock and the jobs are the test's.</summary>
internal sealed class CronLab : EntityLab
{
    private readonly ParcelsOfTest _sent = new();
    private int _lives;

    public static CronId Id { get; } = new(Home, "nightly");

    public SetTime Time { get; } = new();

    /// <summary>What is on its way to a receiver and was not looked at.</summary>
    public int WaitingToBeTold => _sent.Waiting;

    public Task<CronView> View() => Ask<CronView>(new GetCron(Id));

    public Task<CronView> Until(Func<CronView, bool> holds) => Until(View, holds);

    /// <summary>The clock shows this time, and the schedule looks at it.</summary>
    public async Task At(DateTimeOffset now)
    {
        Time.Now = now;
        await Ask<CronView>(new WakeCron(Id));
    }

    /// <summary>Takes the next job, and says that it came to rest.</summary>
    public async Task<JobId> RunNext(JobStateName end = JobStateName.Completed)
    {
        (SubmitJob submit, IActorRef asker) = await NextToJobs<SubmitJob>();
        Say(asker, new JobAccepted(submit.JobId, Repeated: false));
        (AwaitJob wait, asker) = await NextToJobs<AwaitJob>();
        Assert.Equal(submit.JobId, wait.JobId);
        Say(asker, ViewOf(submit, end));
        return submit.JobId;
    }

    /// <summary>What the receiver gets next; it answers as the test says.</summary>
    public Task<SentParcel> NextSent() => _sent.Next(Patience);

    public JobView ViewOf(SubmitJob submit, JobStateName state) => new(submit.JobId, state, submit.Spec, 1, Gpu, null, null, Time.Now, null, null, null, false, null);

    /// <param name="sameProcess">Only the actor system was replaced: the life of the node is the same.</param>
    public Task RestartNode(bool sameProcess = false)
    {
        _lives += sameProcess ? 0 : 1;
        return Restart(forget: false);
    }

    protected override Props Create() => CronEntity.Create(Id, new CronEnvironment(Home, 100 + _lives, Jobs.Ref, Time, TimeSpan.FromMinutes(1)) { Deliver = _sent.Deliver });

    internal sealed class SetTime : TimeProvider
    {
        private long _now = new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero).Ticks;

        public DateTimeOffset Now
        {
            get => new(Interlocked.Read(ref _now), TimeSpan.Zero);
            set => Interlocked.Exchange(ref _now, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
