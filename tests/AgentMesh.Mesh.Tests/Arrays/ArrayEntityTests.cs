using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Jobs;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Arrays;

public sealed class ArrayEntityTests : IAsyncLifetime
{
    private readonly ArrayLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task Each_element_becomes_one_job_and_its_end_is_recorded_once()
    {
        await Submit(5);
        var jobs = new List<SubmitJob>();
        while (jobs.Count < 5)
        {
            SubmitJob[] next = await _lab.NextSubmitted(Math.Min(2, 5 - jobs.Count));
            jobs.AddRange(next);
            Array.ForEach(next, job => _lab.Ends(job));
            Array.ForEach(next, job => _lab.Ends(job, JobStateName.Failed));
        }

        ArrayView view = await _lab.Until(each => each.EndedAt is not null);
        Assert.Equal((ArrayStateName.Completed, 5, 0), (view.State, view.Completed, view.Failed));
        Assert.Equal(["calc 0", "calc 1", "calc 2", "calc 3", "calc 4"], jobs.Select(job => job.Spec.Command.Line).Order());
        Assert.All(jobs, job => Assert.True(job.Spec is { QueueWhenOffline: true, Retry.FailWhenUsedUp: true }));
        ArrayElements elements = await _lab.Ask<ArrayElements>(new GetElements(ArrayLab.Id, 0, 100, Failed: false));
        Assert.Equal(Enumerable.Range(0, 5), elements.Elements.Select(element => element.Number));
        Assert.All(elements.Elements, element => Assert.Equal((ElementStateName.Completed, 0, "42"), (element.State, element.ExitCode!.Value, element.Text)));
    }

    [Fact]
    public async Task No_more_run_at_a_time_than_allowed_and_the_least_busy_device_gets_the_next()
    {
        await Submit(10, parallel: 3);
        SubmitJob[] first = await _lab.NextSubmitted(3);
        Assert.Equal([Gpu, Gpu, Third], first.Select(job => job.Spec.Target.Device).Order());
        ArrayView view = await _lab.View();
        Assert.Equal((3, 7, "7 wait: 3 at the same time are allowed"), (view.Running, view.Waiting, view.WaitingFor));

        _lab.Ends(first.First(job => job.Spec.Target.Device == Third));
        SubmitJob next = Assert.Single(await _lab.NextSubmitted(1));
        Assert.Equal(Third, next.Spec.Target.Device);
        Assert.Equal(3, (await _lab.View()).Running);
    }

    [Fact]
    public async Task Without_a_bound_each_device_has_one_element_at_a_time()
    {
        await Submit(10);
        Assert.Equal([Gpu, Third], (await _lab.NextSubmitted(2)).Select(job => job.Spec.Target.Device).Order());
        ArrayView view = await _lab.View();
        Assert.Equal((2, 8), (view.Running, view.Waiting));
        Assert.Contains("one at a time on each of 2 devices", view.WaitingFor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wish_to_cancel_is_told_when_the_job_is_there_and_its_end_is_awaited_at_once()
    {
        await Submit(1);
        (SubmitJob submitted, IActorRef asker) = await _lab.NextToJobs<SubmitJob>();
        await _lab.Ask<ArrayView>(new CancelArray(ArrayLab.Id, Laptop));

        _lab.Say(asker, new JobAccepted(submitted.JobId, Repeated: false));
        Assert.Equal(submitted.JobId, (await _lab.NextToJobs<CancelJob>()).Message.JobId);
        Assert.Equal(submitted.JobId, (await _lab.NextToJobs<AwaitJob>()).Message.JobId);
    }

    [Fact]
    public async Task A_crash_after_any_event_gives_the_same_jobs_and_each_result_once()
    {
        const int count = 6;
        await Submit(count, parallel: 2);
        await _lab.Restart();
        var seen = new Dictionary<string, JobId>(StringComparer.Ordinal);
        for (int done = 0; done < count; done++)
        {
            // The first of them was submitted before the crash; the next life submits the very same.
            (SubmitJob before, _) = await _lab.NextToJobs<SubmitJob>();
            await _lab.Restart();
            int running = Math.Min(2, count - done);
            SubmitJob[] again = await _lab.NextSubmitted(running);
            Assert.Contains(again, job => job.JobId == before.JobId && job == before);
            foreach (SubmitJob job in again)
            {
                Assert.Equal(job.JobId, seen.TryGetValue(job.Spec.Command.Line, out JobId known) ? known : job.JobId);
                seen[job.Spec.Command.Line] = job.JobId;
            }

            _lab.Ends(again[0]);
            await _lab.Until(view => view.Completed == done + 1);
            await _lab.Restart();
            Assert.Equal(done + 1, (await _lab.View()).Completed);
        }

        ArrayView over = await _lab.Until(view => view.EndedAt is not null);
        Assert.Equal((ArrayStateName.Completed, count), (over.State, seen.Count));
        await _lab.Restart();
        Assert.Equal(over, await _lab.View());
        Assert.Equal(0, _lab.WaitingAtJobs);
    }

    [Fact]
    public async Task Nobody_is_there_and_the_array_says_so_and_waits()
    {
        _lab.Devices = [ArrayLab.GpuBox with { Absence = "gpu-box is offline, last seen 3 s ago" }];
        await Submit(1);
        ArrayView view = await _lab.View();
        Assert.Equal((ArrayStateName.Waiting, 1, "gpu-box is offline, last seen 3 s ago"), (view.State, view.Waiting, view.WaitingFor));
        await _lab.Restart();
        Assert.Equal(0, _lab.WaitingAtJobs);

        _lab.Devices = [ArrayLab.GpuBox];
        SubmitJob job = Assert.Single(await _lab.NextSubmitted(1));
        _lab.Ends(job);
        Assert.Equal(ArrayStateName.Completed, (await _lab.Until(each => each.EndedAt is not null)).State);
    }

    [Fact]
    public async Task An_element_whose_device_is_gone_goes_to_another_once_its_job_can_no_longer_run()
    {
        _lab.Devices = [ArrayLab.GpuBox];
        await Submit(1);
        SubmitJob first = Assert.Single(await _lab.NextSubmitted(1));

        // It may still run there: only the job itself gives the attempt up.
        _lab.Devices = [ArrayLab.GpuBox with { Absence = "away" }, ArrayLab.Lab];
        _lab.Say(_lab.Entity, _lab.ViewOf(first, JobStateName.Running));
        await _lab.View();
        await _lab.Restart();
        await _lab.NextSubmitted(1);
        _lab.Say(_lab.Entity, _lab.ViewOf(first, JobStateName.Retrying));
        Assert.Equal(first.JobId, (await _lab.NextToJobs<CancelJob>()).Message.JobId);

        // The wish is on disk: after a crash the cancelled job is known as moved, not as cancelled by somebody.
        await _lab.Restart();
        Assert.Equal(first.JobId, Assert.Single(await _lab.NextSubmitted(1)).JobId);
        _lab.Ends(first, JobStateName.Cancelled);
        SubmitJob second = Assert.Single(await _lab.NextSubmitted(1));
        Assert.Equal((Third, first.Spec.Command), (second.Spec.Target.Device, second.Spec.Command));
        Assert.NotEqual(first.JobId, second.JobId);

        _lab.Ends(first);
        _lab.Ends(second);
        ArrayView view = await _lab.Until(each => each.EndedAt is not null);
        Assert.Equal((1, 0), (view.Completed, view.Cancelled));
    }

    [Fact]
    public async Task A_moving_element_that_was_done_after_all_is_done()
    {
        _lab.Devices = [ArrayLab.GpuBox];
        await Submit(1);
        SubmitJob job = Assert.Single(await _lab.NextSubmitted(1));
        _lab.Devices = [ArrayLab.Lab];
        _lab.Say(_lab.Entity, _lab.ViewOf(job, JobStateName.Queued));
        await _lab.NextToJobs<CancelJob>();
        _lab.Ends(job);
        Assert.Equal(1, (await _lab.Until(each => each.EndedAt is not null)).Completed);
    }

    [Fact]
    public async Task Cancelled_it_ends_what_runs_and_begins_nothing()
    {
        await Submit(10);
        SubmitJob[] running = await _lab.NextSubmitted(2);
        Assert.Equal(ArrayStateName.Cancelling, (await _lab.Ask<ArrayView>(new CancelArray(ArrayLab.Id, Laptop))).State);
        JobId[] cancelled = [(await _lab.NextToJobs<CancelJob>()).Message.JobId, (await _lab.NextToJobs<CancelJob>()).Message.JobId];
        Assert.Equal(running.Select(job => job.JobId).ToHashSet(), [.. cancelled]);

        await _lab.Restart();
        await _lab.NextSubmitted(2);
        _lab.Ends(running[0], JobStateName.Cancelled);
        _lab.Ends(running[1]);
        ArrayView view = await _lab.Until(each => each.EndedAt is not null);
        Assert.Equal((ArrayStateName.Cancelled, 1, 9, 0, 0), (view.State, view.Completed, view.Cancelled, view.Waiting, view.Failed));
        Assert.Equal(ArrayStateName.Cancelled, (await _lab.Ask<ArrayView>(new CancelArray(ArrayLab.Id, Laptop))).State);
    }

    [Fact]
    public async Task Tried_again_only_what_did_not_complete_begins_anew()
    {
        await Submit(3, parallel: 3);
        SubmitJob[] first = await _lab.NextSubmitted(3);
        Assert.Equal(MeshErrors.NotInThisState, (await _lab.Ask<ArrayProblem>(new RetryArray(ArrayLab.Id, Laptop))).Problem.Code);
        _lab.Ends(first[0]);
        _lab.Ends(first[1], JobStateName.Failed);
        _lab.Ends(first[2], JobStateName.Failed);
        Assert.Equal((ArrayStateName.Failed, 2), (await _lab.Until(each => each.EndedAt is not null)) is var failed ? (failed.State, failed.Failed) : default);
        Assert.Equal(MeshErrors.NotInThisState, (await _lab.Ask<ArrayProblem>(new CancelArray(ArrayLab.Id, Laptop))).Problem.Code);

        await _lab.Ask<ArrayView>(new RetryArray(ArrayLab.Id, Laptop));
        SubmitJob[] second = await _lab.NextSubmitted(2);
        Assert.Equal(first[1..].Select(job => job.Spec.Command.Line).Order(), second.Select(job => job.Spec.Command.Line).Order());
        Assert.Empty(first.Select(job => job.JobId).Intersect(second.Select(job => job.JobId)));
        Array.ForEach(second, job => _lab.Ends(job));
        Assert.Equal((ArrayStateName.Completed, 3), (await _lab.Until(each => each.EndedAt is not null)) is var done ? (done.State, done.Completed) : default);
    }

    [Fact]
    public async Task A_repeat_is_the_same_array_and_another_command_under_its_key_is_refused()
    {
        Assert.False((await Submit(2)).Repeated);
        Assert.True((await Submit(2)).Repeated);
        Assert.Equal(MeshErrors.KeyReused, (await _lab.Ask<ArrayProblem>(new SubmitArray(ArrayLab.Id, ArrayLab.SpecOf(3)))).Problem.Code);
    }

    [Fact]
    public async Task What_cannot_be_filled_in_is_refused_and_leaves_nothing()
    {
        Assert.Equal(MeshErrors.UnknownPlaceholder, (await _lab.Ask<ArrayProblem>(new SubmitArray(ArrayLab.Id, ArrayLab.SpecOf(2, command: "calc {x}")))).Problem.Code);
        Assert.Equal(MeshErrors.UnknownArray, (await _lab.Ask<ArrayProblem>(new GetArray(ArrayLab.Id))).Problem.Code);
    }

    [Fact]
    public async Task Other_devices_have_no_say()
    {
        await Submit(1);
        SubmitJob job = Assert.Single(await _lab.NextSubmitted(1));
        var foreign = new ForeignRef((ExtendedActorSystem)_lab.System, Gpu, "somebody");
        _lab.Entity.Tell(new CancelArray(ArrayLab.Id, Laptop), foreign);
        Assert.Equal(MeshErrors.NotYours, (await foreign.Next<ArrayProblem>()).Problem.Code);
        _lab.Entity.Tell(_lab.ViewOf(job, JobStateName.Completed), foreign);
        Assert.Equal((1, 0), (await _lab.View()) is var view ? (view.Running, view.Completed) : default);
    }

    [Fact]
    public async Task Hundreds_of_elements_survive_snapshots()
    {
        const int count = 600;
        await Submit(count, parallel: 4);
        var jobs = new HashSet<JobId>();
        while (jobs.Count < count)
        {
            foreach (SubmitJob job in await _lab.NextSubmitted(1))
            {
                Assert.True(jobs.Add(job.JobId));
                _lab.Ends(job, jobs.Count % 100 == 0 ? JobStateName.Failed : JobStateName.Completed);
            }
        }

        ArrayView view = await _lab.Until(each => each.EndedAt is not null);
        Assert.Equal((594, 6), (view.Completed, view.Failed));
        ArrayElements failed = await _lab.Ask<ArrayElements>(new GetElements(ArrayLab.Id, 0, 4, Failed: true));
        await _lab.Restart();
        Assert.Equal(view, await _lab.View());
        Assert.Equal(failed, await _lab.Ask<ArrayElements>(new GetElements(ArrayLab.Id, 0, 4, Failed: true)));
        Assert.Equal(2, (await _lab.Ask<ArrayElements>(new GetElements(ArrayLab.Id, failed.Next!.Value, 4, Failed: true))).Elements.Length);
    }

    private Task<ArrayAccepted> Submit(int count, int? parallel = null) => _lab.Ask<ArrayAccepted>(new SubmitArray(ArrayLab.Id, ArrayLab.SpecOf(count, parallel)));
}
