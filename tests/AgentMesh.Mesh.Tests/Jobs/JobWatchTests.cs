using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>What those ask who wait for jobs, and when they ask again.</summary>
public sealed class JobWatchTests : IAsyncLifetime
{
    private static readonly JobId Other = JobId.FromIdempotencyKey(Home, "other");

    private readonly ActorSystem _system = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
    private readonly ShiftedTime _time = new();
    private readonly JobsOfTest _jobs;

    public JobWatchTests() => _jobs = new JobsOfTest(_system);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _system.Terminate();

    [Fact]
    public async Task An_answer_that_does_not_count_brings_the_question_for_the_end_forward_and_never_puts_it_off()
    {
        var watch = new JobWatch(_jobs.Ref, _time, awaitFor: TimeSpan.FromMinutes(1));
        WatchedJob[] watched = [new WatchedJob(Other, () => new SubmitJob(Other, Spec), null)];
        watch.Ask(watched, ActorRefs.NoSender);
        watch.Found(Other, ActorRefs.NoSender);
        await _jobs.Next<AwaitJob>();
        Assert.InRange(watch.Ask(watched, ActorRefs.NoSender)!.Value, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(70));

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("not shown to you", watch.Take(new JobProblem(Other, new Problem(MeshErrors.NotYours, "not shown to you")), static _ => { }));
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        watch.Ask(watched, ActorRefs.NoSender);
        await _jobs.Next<AwaitJob>();
    }

    [Fact]
    public async Task The_same_where_a_job_waits_for_another()
    {
        var watch = new DependencyWatch(_time);
        JobSpec waiting = Spec with { After = ImmutableArray.Create(new JobDependency(DependencyCondition.Ok, Other)) };
        watch.Ask(waiting, _jobs.Ref, ActorRefs.NoSender);
        await _jobs.Next<AwaitJob>();
        for (int i = 0; i < 2; i++)
        {
            Assert.False(watch.Take(new JobProblem(Other, new Problem(MeshErrors.NotYours, "not shown to you")), JobState.None(Job), isFromHome: true));
            _time.Advance(TimeSpan.FromSeconds(1.2));
        }

        watch.Ask(waiting, _jobs.Ref, ActorRefs.NoSender);
        await _jobs.Next<AwaitJob>();
    }

    [Fact]
    public async Task Who_waits_for_a_job_is_told_how_it_stands_when_it_leaves_the_memory_of_its_member()
    {
        await using var lab = new JobLab();
        await lab.Submit();
        Task<JobView> waiting = lab.Ask<JobView>(new AwaitJob(Job, DateTimeOffset.MaxValue));
        await lab.View();
        await lab.Kill();
        Assert.Equal(JobStateName.Placing, (await waiting).State);
    }
}
