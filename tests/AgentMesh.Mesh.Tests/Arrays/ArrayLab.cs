using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Arrays.Entity;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Cron;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Arrays;

/// <summary>One array at its home with a journal in memory; the clock, the devices and the jobs are the test's.</summary>
internal sealed class ArrayLab : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly JobsOfTest _jobs;
    private volatile IReadOnlyList<ArrayDevice> _devices = [GpuBox, Lab];

    public ArrayLab()
    {
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
        _jobs = new JobsOfTest(System);
        Entity = Begin();
    }

    public static ArrayId Id { get; } = ArrayId.FromIdempotencyKey(Home, "lab");

    public static ArrayDevice GpuBox { get; } = new(Gpu, "gpu-box", null);

    public static ArrayDevice Lab { get; } = new(Third, "lab", null);

    public ActorSystem System { get; }

    public CronLab.SetTime Time { get; } = new();

    public IActorRef Entity { get; private set; }

    public IReadOnlyList<ArrayDevice> Devices
    {
        set => _devices = value;
    }

    public static ArraySpec SpecOf(int count, int? parallel = null, string command = "calc {}") => new(
        Samples.SpecOf(command: JobCommand.Handler(command)),
        new ArrayTargets("@label:gpu", false, [], ["gpu"]),
        ArrayRange.Parse($"0-{count - 1}").Items,
        parallel);

    public Task<object> Ask(object message) => Entity.Ask<object>(message, Patience);

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Ask(message));

    public Task<ArrayView> View() => Ask<ArrayView>(new GetArray(Id));

    public async Task<ArrayView> Until(Func<ArrayView, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            ArrayView view = await View();
            if (holds(view))
            {
                return view;
            }

            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>The next message to the jobs of this home, questions for an end that was answered already left out.</summary>
    public Task<(T Message, IActorRef Asker)> NextToJobs<T>() => _jobs.Next<T>();

    public async Task<SubmitJob[]> NextSubmitted(int count)
    {
        var submitted = new Dictionary<JobId, SubmitJob>();
        while (submitted.Count < count)
        {
            (SubmitJob submit, IActorRef asker) = await NextToJobs<SubmitJob>();
            submitted[submit.JobId] = submit;
            Say(asker, new JobAccepted(submit.JobId, Repeated: false));
        }

        return [.. submitted.Values];
    }

    /// <summary>As a job of this home says it.</summary>
    public void Say(IActorRef to, object message) => to.Tell(message, _jobs.Ref);

    public void Ends(SubmitJob job, JobStateName state = JobStateName.Completed) => Say(Entity, ViewOf(job, state));

    public JobView ViewOf(SubmitJob submit, JobStateName state) => new(
        submit.JobId, state, submit.Spec, 1, submit.Spec.Target.Device, new AttemptResult(AttemptOutcome.Succeeded, state == JobStateName.Completed ? 0 : 1, "42"), null, Time.Now, Time.Now, Time.Now, null, false, null);

    public int WaitingAtJobs => _jobs.Waiting;

    /// <summary>The entity goes as with its process; a new one reads the journal.</summary>
    public async Task Restart()
    {
        await Entity.GracefulStop(Patience);
        _jobs.Forget();

        Entity = Begin();
    }

    public async ValueTask DisposeAsync() => await System.Terminate().WaitAsync(Patience);

    private IActorRef Begin() => System.ActorOf(ArrayEntity.Create(Id, new ArrayEnvironment(Home, _jobs.Ref, _ => _devices, Time, TimeSpan.FromMinutes(1))));
}
