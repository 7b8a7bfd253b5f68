using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>What follows from requests and reports, without an actor.</summary>
public sealed class JobDecisionsTests
{
    private static readonly AttemptResult Done = new(AttemptOutcome.Succeeded, 0, "3");
    private static readonly DateTimeOffset Later = Start.AddSeconds(1);

    private readonly JobEnvironment _environment;
    private readonly TaskCompletionSource<IReadOnlySet<string>> _store = new();

    public JobDecisionsTests() => _environment = new JobEnvironment(Home, _ => 1, (_, _) => ActorRefs.Nobody, TimeProvider.System, () => 0.5, TimeSpan.Zero) { ArtifactsTaken = (_, _, _) => _store.Task };

    private static DeviceId There => Spec.Target.Device;

    [Fact]
    public void A_report_of_a_stranger_is_nothing_and_one_of_an_older_attempt_ends_it()
    {
        var reports = new AttemptReports(_environment);
        JobState job = Placed(Spec);
        foreach (object report in (object[])[new AttemptStarted(Job, 1, 1), new AttemptHeartbeat(Job, 1, 0, 0), new AttemptEnded(Job, 1, Done), new AttemptUnknown(Job, 1, 1)])
        {
            Assert.Equal(default(ReportStep), reports.Take(report, job, Third, Later));
        }

        Assert.Equal(new ReportStep { Reply = new CancelAttempt(Job, 0) }, reports.Take(new AttemptStarted(Job, 0, 1), job, Third, Later));
        Assert.Null(reports.Take(new GetJob(Job), job, There, Later));
    }

    [Fact]
    public void An_end_waits_for_the_store_which_is_asked_once_at_a_time_and_again_when_it_failed()
    {
        var reports = new AttemptReports(_environment);
        JobState job = Placed(Spec with { Artifacts = FullSpec.Artifacts });
        var end = new AttemptEnded(Job, 1, Done);
        ArtifactsAsked asked = reports.Take(end, job, There, Later)!.Value.Asked!;
        Assert.Same(_store.Task, asked.Taken);
        Assert.Equal(default(ReportStep), reports.Take(end, job, There, Later));

        Assert.Equal(default(ReportStep), reports.Take(asked.Answered(null), job, There, Later));
        asked = reports.Take(end, job, There, Later)!.Value.Asked!;
        ReportStep known = reports.Take(asked.Answered(new HashSet<string>()), job, There, Later)!.Value;
        Assert.IsType<AttemptEndedAck>(known.Receipt);
        Assert.NotNull(known.Change);

        _store.SetResult(new HashSet<string>());
        Assert.Equal(known.Change!.GetType(), reports.Take(end, job, There, Later)!.Value.Change!.GetType());
    }

    [Fact]
    public void What_the_store_says_of_an_attempt_that_is_over_is_not_recorded()
    {
        var reports = new AttemptReports(_environment);
        JobState job = Placed(Spec).Apply(new CancelledEvent(Later, 1, null, null));
        Assert.Equal(default(ReportStep), reports.Take(new ArtifactsKnown(1, Done, new HashSet<string>()), job, There, Later));
    }

    [Fact]
    public void A_checkpoint_that_is_kept_already_is_acknowledged_at_once_and_a_cancel_is_told_beside_it()
    {
        var reports = new AttemptReports(_environment);
        JobState job = Placed(Spec).Apply(new CancelRequestedEvent(Later, Laptop));
        var left = new AttemptCheckpoint(Job, 1, 4, new Checkpoint([1, 2]));
        ReportStep first = reports.Take(left, job, There, Later)!.Value;
        Assert.Equal((new CheckpointKept(Job, 1, 4), new CancelAttempt(Job, 1)), (first.Receipt, first.Reply));
        ReportStep again = reports.Take(left, job.Apply(first.Change!), There, Later)!.Value;
        Assert.Null(again.Change);
        Assert.Equal(first.Receipt, again.Receipt);
        Assert.Equal(default(ReportStep), reports.Take(left, job, Third, Later));
    }

    [Fact]
    public void The_device_that_runs_a_job_reads_it_and_its_home_alone_changes_it()
    {
        var requests = new JobRequests(_environment, new JobReplies(_environment));
        JobState job = Placed(Spec);
        Assert.Equal(default(RequestStep), requests.Take(new GetJob(Job), job, There, wasThere: true, Later));
        Assert.Equal(MeshErrors.NotYours, ProblemOf(new GetJob(Job), Third));
        Assert.Equal(MeshErrors.NotYours, ProblemOf(new CancelJob(Job, Laptop), There));
        Assert.Equal(MeshErrors.NotInThisState, ProblemOf(new RetryJob(Job, Laptop), Home));
        Assert.Equal(new CancelRequestedEvent(Later, Laptop), requests.Take(new CancelJob(Job, Laptop), job, Home, wasThere: true, Later)!.Value.Change);
        Assert.Null(requests.Take(new AttemptStarted(Job, 1, 1), job, Home, wasThere: true, Later));

        string ProblemOf(object message, DeviceId from) => Assert.IsType<JobProblem>(requests.Take(message, job, from, wasThere: true, Later)!.Value.Answer).Problem.Code;
    }

    [Fact]
    public void Who_waits_is_answered_at_once_where_there_is_nothing_to_wait_for()
    {
        var requests = new JobRequests(_environment, new JobReplies(_environment));
        JobState job = Placed(Spec);
        var request = new AwaitJob(Job, DateTimeOffset.MaxValue);
        Assert.Equal(request, requests.Take(request, job, Home, wasThere: true, Later)!.Value.Waits);
        Assert.Equal(default(RequestStep), requests.Take(new AwaitJob(Job, Later), job, Home, wasThere: true, Later));
        Assert.Equal(default(RequestStep), requests.Take(request, job.Apply(new CancelledEvent(Later, 1, null, null)), Home, wasThere: true, Later));
    }

    private static JobState Placed(JobSpec spec) => JobState.None(Job).Apply(JobRules.Accept(spec, 1, Start));
}
