using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>A job of a group and its turn.</summary>
public sealed class JobGroupTests
{
    private static readonly AttemptResult TimedOut = new(AttemptOutcome.TimedOut);

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
}
