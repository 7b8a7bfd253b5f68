using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Entity;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>One schedule at its home with a journal in memory; the clock and the jobs are the test's.</summary>
internal sealed class CronLab : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly JobsOfTest _jobs;
    private IActorRef _entity;
    private int _lives;

    public CronLab()
    {
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
        _jobs = new JobsOfTest(System);
        _entity = Begin();
    }

    public static CronId Id { get; } = new(Home, "nightly");

    public ActorSystem System { get; }

    public SetTime Time { get; } = new();

    public IActorRef Entity => _entity;

    public Task<object> Ask(object message) => _entity.Ask<object>(message, Patience);

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Ask(message));

    public Task<CronView> View() => Ask<CronView>(new GetCron(Id));

    public async Task<CronView> Until(Func<CronView, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            CronView view = await View();
            if (holds(view))
            {
                return view;
            }

            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>The clock shows this time, and the schedule looks at it.</summary>
    public async Task At(DateTimeOffset now)
    {
        Time.Now = now;
        await Ask<CronView>(new WakeCron(Id));
    }

    /// <summary>The next message to the jobs of this home.</summary>
    public Task<(T Message, IActorRef Asker)> NextToJobs<T>() => _jobs.Next<T>();

    public int WaitingAtJobs => _jobs.Waiting;

    /// <summary>As a job of this home says it.</summary>
    public void Say(IActorRef to, object message) => to.Tell(message, _jobs.Ref);

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

    public JobView ViewOf(SubmitJob submit, JobStateName state) => new(submit.JobId, state, submit.Spec, 1, Gpu, null, null, Time.Now, null, null, null, false, null);

    /// <summary>The entity goes as with its process; a new one reads the journal.</summary>
    /// <param name="sameProcess">Only the actor system was replaced: the life of the node is the same.</param>
    public async Task Restart(bool sameProcess = false)
    {
        await _entity.GracefulStop(Patience);
        _lives += sameProcess ? 0 : 1;
        _entity = Begin();
    }

    public async ValueTask DisposeAsync() => await System.Terminate().WaitAsync(Patience);

    private IActorRef Begin() => System.ActorOf(CronEntity.Create(Id, new CronEnvironment(Home, 100 + _lives, _jobs.Ref, Time, TimeSpan.FromMinutes(1))));

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
