using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Jobs;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Cron.CronSamples;

namespace AgentMesh.Mesh.Tests.Cron;

public sealed class CronEntityTests : IAsyncLifetime
{
    private readonly CronLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task A_due_time_becomes_a_job_and_its_end_is_recorded()
    {
        await Create("0 * * * *");

        await _lab.At(Midnight.AddHours(1));
        JobId job = await _lab.RunNext();

        CronView view = await _lab.Until(each => each.Runs.Any(run => run.IsOver));
        CronRun run = Assert.Single(view.Runs);
        Assert.Equal((job, Midnight.AddHours(1), CronCause.Schedule, JobStateName.Completed), (run.JobId, run.Nominal, run.Cause, run.Ended!.Value));
        Assert.Equal((1, 0, 0), (view.Fired, view.Missed, view.Failures));
        Assert.Equal(Enumerable.Range(2, 5).Select(hour => Midnight.AddHours(hour)), view.Next);
    }

    [Fact]
    public async Task A_crash_between_the_fire_and_its_job_gives_the_same_job_once_more()
    {
        await Create("0 * * * *");
        await _lab.At(Midnight.AddHours(1));
        (SubmitJob first, _) = await _lab.NextToJobs<SubmitJob>();

        await _lab.RestartNode();
        (SubmitJob second, _) = await _lab.NextToJobs<SubmitJob>();

        Assert.Equal(first, second);
        Assert.Equal(1, (await _lab.View()).Fired);
    }

    [Fact]
    public async Task A_time_that_was_fired_is_not_fired_again_after_a_restart()
    {
        await Create("0 * * * *");
        await _lab.At(Midnight.AddHours(1));
        await _lab.RunNext();
        await _lab.Until(each => each.Runs.Any(run => run.IsOver));

        await _lab.RestartNode();
        await _lab.At(Midnight.AddHours(1).AddSeconds(30));

        CronView view = await _lab.View();
        Assert.Equal((1, 0), (view.Fired, view.Missed));
        Assert.Equal(0, _lab.WaitingAtJobs);
    }

    [Fact]
    public async Task Times_that_passed_while_the_node_was_down_are_counted_or_made_up_for()
    {
        await Create("0 * * * *", CronMissed.Once);
        _lab.Time.Now = Midnight.AddHours(5.5);
        await _lab.RestartNode();

        await _lab.RunNext();

        CronView view = await _lab.Until(each => each.Runs.Any(run => run.IsOver));
        Assert.Equal((1, 4, CronCause.CatchUp, Midnight.AddHours(5)), (view.Fired, view.Missed, view.Runs[0].Cause, view.Runs[0].Nominal));
    }

    [Fact]
    public async Task Reboot_fires_at_each_start_of_the_node_and_not_when_the_actor_system_is_replaced()
    {
        await Create("@reboot");
        await _lab.RestartNode(sameProcess: true);
        Assert.Equal(0, (await _lab.View()).Fired);

        for (int start = 1; start <= 3; start++)
        {
            await _lab.RestartNode();
            await _lab.RunNext();
            await _lab.Until(each => each.Fired == start && each.Runs.All(run => run.IsOver));
            await _lab.RestartNode(sameProcess: true);
            await _lab.At(Midnight.AddHours(start));
            Assert.Equal(start, (await _lab.View()).Fired);
        }

        Assert.Equal(3, (await _lab.View()).Runs.Select(run => run.JobId).Distinct().Count());
        Assert.Equal(0, _lab.WaitingAtJobs);
    }

    [Fact]
    public async Task A_run_by_hand_is_told_when_its_job_is_on_disk_and_a_repeat_is_the_same_run()
    {
        await Create("0 * * * *");
        await _lab.Ask<CronView>(new EnableCron(CronLab.Id, Enabled: false));

        Task<CronStarted> asked = _lab.Ask<CronStarted>(new RunCron(CronLab.Id, "one"));
        (SubmitJob submit, IActorRef entity) = await _lab.NextToJobs<SubmitJob>();
        Assert.False(asked.IsCompleted);
        _lab.Say(entity, new JobAccepted(submit.JobId, Repeated: false));

        Assert.Equal(submit.JobId, (await asked).JobId);
        Assert.Equal(submit.JobId, (await _lab.Ask<CronStarted>(new RunCron(CronLab.Id, "one"))).JobId);
        Assert.Equal(CronCause.Manual, Assert.Single((await _lab.View()).Runs).Cause);
    }

    [Fact]
    public async Task A_schedule_that_was_changed_after_the_fire_takes_the_job_that_is_there()
    {
        await Create("0 * * * *");
        await _lab.At(Midnight.AddHours(1));
        (SubmitJob submit, IActorRef entity) = await _lab.NextToJobs<SubmitJob>();
        await _lab.Ask<CronView>(new CreateCron(CronLab.Id, Spec("30 * * * *"), Replace: true));

        _lab.Say(entity, new JobProblem(submit.JobId, new Problem(MeshErrors.KeyReused, "another command")));
        await _lab.NextToJobs<AwaitJob>();
        _lab.Say(entity, _lab.ViewOf(submit, JobStateName.Failed));

        CronView view = await _lab.Until(each => each.Runs.Any(run => run.IsOver));
        Assert.Equal((1, "30 * * * *"), (view.Failures, view.Spec.Schedule));
    }

    [Fact]
    public async Task A_run_that_is_in_the_way_is_cancelled_and_then_the_next_begins()
    {
        await _lab.Ask<CronView>(new CreateCron(CronLab.Id, Spec("0 * * * *", overlap: CronOverlap.Cancel), Replace: false));
        await _lab.At(Midnight.AddHours(1));
        (SubmitJob first, IActorRef entity) = await _lab.NextToJobs<SubmitJob>();
        _lab.Say(entity, new JobAccepted(first.JobId, Repeated: false));
        await _lab.NextToJobs<AwaitJob>();

        await _lab.At(Midnight.AddHours(2));
        (CancelJob cancel, _) = await _lab.NextToJobs<CancelJob>();
        Assert.Equal(first.JobId, cancel.JobId);
        _lab.Say(entity, _lab.ViewOf(first, JobStateName.Cancelled));

        (SubmitJob second, _) = await _lab.NextToJobs<SubmitJob>();
        Assert.NotEqual(first.JobId, second.JobId);
        CronView view = await _lab.View();
        Assert.Equal((2L, 0L, 0, Midnight.AddHours(2)), (view.Fired, view.Missed, view.Failures, view.Runs[0].Nominal));
    }

    [Fact]
    public async Task Removed_it_is_gone_and_its_name_is_free()
    {
        await Create("0 * * * *");
        await _lab.Ask<CronRemoved>(new RemoveCron(CronLab.Id));
        Assert.Equal(MeshErrors.UnknownCron, (await _lab.Ask<CronProblem>(new GetCron(CronLab.Id))).Problem.Code);

        await _lab.RestartNode();
        Assert.Equal(MeshErrors.UnknownCron, (await _lab.Ask<CronProblem>(new WakeCron(CronLab.Id))).Problem.Code);
        await Create("@daily");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_a_code()
    {
        await Create("0 * * * *");

        Assert.Equal(MeshErrors.CronExists, await Refused(new CreateCron(CronLab.Id, Spec("1 * * * *"), Replace: false)));
        Assert.Equal(MeshErrors.CronSyntax, await Refused(new CreateCron(CronLab.Id, Spec("61 * * * *"), Replace: true)));
        Assert.Equal(MeshErrors.CronNever, await Refused(new CreateCron(CronLab.Id, Spec("0 0 31 2 *"), Replace: true)));
        Assert.Equal(MeshErrors.BadZone, await Refused(new CreateCron(CronLab.Id, Spec("0 * * * *") with { Zone = "Europe/Atlantis" }, Replace: true)));
        Assert.Equal("0 * * * *", (await _lab.Ask<CronView>(new CreateCron(CronLab.Id, Spec("0 * * * *"), Replace: false))).Spec.Schedule);
    }

    [Fact]
    public async Task Other_devices_have_no_say()
    {
        await Create("0 * * * *");
        var foreign = new ForeignRef((ExtendedActorSystem)_lab.System, Samples.Gpu, "somebody");

        _lab.Entity.Tell(new RemoveCron(CronLab.Id), foreign);

        Assert.Equal(MeshErrors.NotYours, (await foreign.Next<CronProblem>()).Problem.Code);
        await _lab.At(Midnight.AddHours(1));
        (SubmitJob submit, IActorRef entity) = await _lab.NextToJobs<SubmitJob>();
        entity.Tell(_lab.ViewOf(submit, JobStateName.Completed), foreign);
        Assert.All((await _lab.View()).Runs, run => Assert.False(run.IsOver));
    }

    [Fact]
    public async Task Hundreds_of_runs_leave_a_short_list_and_survive_a_restart()
    {
        await Create("* * * * *");
        for (int minute = 1; minute <= 120; minute++)
        {
            await _lab.At(Midnight.AddMinutes(minute));
            await _lab.RunNext();
            await _lab.Until(each => each.Runs[0].IsOver);
        }

        CronView before = await _lab.View();
        Assert.Equal((120, CronState.RunsKept), (before.Fired, before.Runs.Length));
        await _lab.RestartNode();
        Assert.Equal(before, await _lab.View());
    }

    private Task<CronView> Create(string schedule, CronMissed missed = CronMissed.Skip) => _lab.Ask<CronView>(new CreateCron(CronLab.Id, Spec(schedule, missed), Replace: false));

    private async Task<string> Refused(object message) => (await _lab.Ask<CronProblem>(message)).Problem.Code;
}
