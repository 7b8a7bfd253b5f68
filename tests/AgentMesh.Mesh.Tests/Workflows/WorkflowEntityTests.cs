using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Jobs;
using AgentMesh.Mesh.Workflows;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Workflows;

public sealed class WorkflowEntityTests : IAsyncLifetime
{
    private const string Line = """
        vars: { x: "7" }
        steps:
          - { name: a, on: "@gpu-box", command: "calc {{vars.x}}" }
          - { name: b, on: "@lab", needs: [a], command: "echo {{steps.a.result}}" }
          - { name: c, needs: [b], command: "echo {{steps.b.device}}" }
        """;

    private readonly WorkflowLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task Each_step_begins_when_what_it_needs_is_over_with_the_results_filled_in()
    {
        await _lab.Submit(Line);
        SubmitJob a = await _lab.NextSubmitted();
        Assert.Equal(("calc 7", Gpu, true, true), (a.Spec.Command.Line, a.Spec.Target.Device, a.Spec.QueueWhenOffline, a.Spec.Retry.FailWhenUsedUp));
        Assert.Equal(new JobOwner(WorkflowLab.Id.ToString(), "a"), a.Spec.Owner);
        _lab.Ends(a, text: "49\n");
        SubmitJob b = await _lab.NextSubmitted();
        Assert.Equal(("echo 49", Third), (b.Spec.Command.Line, b.Spec.Target.Device));
        _lab.Ends(b);
        SubmitJob c = await _lab.NextSubmitted();
        Assert.Equal(("echo lab", Home), (c.Spec.Command.Line, c.Spec.Target.Device));
        _lab.Ends(c);
        WorkflowView view = await _lab.Until(state => state.EndedAt is not null);
        Assert.Equal(WorkflowStateName.Completed, view.State.Name);
        Assert.All(view.State.Steps, step => Assert.Equal((StepStateName.Completed, 1), (step.Name, step.Generation)));
    }

    [Fact]
    public async Task A_program_passes_on_what_it_wrote_and_a_shell_reads_it_as_one_word()
    {
        await _lab.Submit("""
            steps:
              - { name: a, run: [make] }
              - { name: b, needs: [a], run: "use {{steps.a.result}}" }
            """);
        SubmitJob a = await _lab.NextSubmitted();
        _lab.Outputs[a.JobId] = "it's; rm -rf /\n";
        _lab.Ends(a, text: "it's; rm -rf /\n");
        SubmitJob b = await _lab.NextSubmitted();
        Assert.Equal(["/bin/sh", "-c", "use 'it'\\''s; rm -rf /'"], b.Spec.Command.Words.ToArray());
    }

    [Fact]
    public async Task A_result_that_is_too_long_pauses_before_the_step_that_asks_for_it()
    {
        await _lab.Submit(Line);
        _lab.Ends(await _lab.NextSubmitted(), text: new string('9', WorkflowSpec.ValueBytesMax + 1));
        WorkflowView view = await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        Assert.Equal((StepStateName.Failed, MeshErrors.NoValue), (view.State.Find("b")!.Name, view.State.Find("b")!.Problem!.Code));
        Assert.Equal(StepStateName.Completed, view.State.Find("a")!.Name);
    }

    [Fact]
    public async Task A_step_that_fails_pauses_is_edited_and_resumed_and_what_is_over_never_runs_again()
    {
        await _lab.Submit(Line);
        SubmitJob a = await _lab.NextSubmitted();
        _lab.Ends(a);
        SubmitJob b = await _lab.NextSubmitted();
        _lab.Ends(b, JobStateName.Failed);
        WorkflowView paused = await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        Problem reason = WorkflowRules.Reason(paused.State)!;
        Assert.Equal(("AM0323", "step b failed: lab: the program ended with exit code 1"), (reason.Code, reason.Text));
        Assert.Equal(MeshErrors.NotInThisState, (await _lab.Refused(WorkflowAction.Retry, "a")).Code);
        Assert.Equal(MeshErrors.NotInThisState, (await _lab.Refused(WorkflowAction.Skip, "a")).Code);
        Assert.Equal(MeshErrors.UnknownStep, (await _lab.Refused(WorkflowAction.Retry, "bb")).Code);

        StepSpec old = paused.State.Find("b")!.Spec;
        StepSpec edited = old with { Job = old.Job with { Command = JobCommand.Handler("echo better {{steps.a.result}}") } };
        await _lab.Ask<WorkflowView>(new EditStep(WorkflowLab.Id, edited, Laptop));
        Assert.Equal(WorkflowStateName.Paused, (await _lab.View()).State.Name);
        await _lab.Restart();
        await _lab.Change(WorkflowAction.Resume);
        SubmitJob again = await _lab.NextSubmitted();
        Assert.Equal("echo better 42", again.Spec.Command.Line);
        Assert.NotEqual(b.JobId, again.JobId);
        _lab.Ends(b);
        _lab.Ends(again, text: "good");
        _lab.Ends(await _lab.NextSubmitted());
        WorkflowView view = await _lab.Until(state => state.EndedAt is not null);
        Assert.Equal((WorkflowStateName.Completed, 1, 2), (view.State.Name, view.State.Find("a")!.Generation, view.State.Find("b")!.Generation));
        Assert.Equal("good", Assert.Single(view.State.Find("b")!.Runs).End!.Result);
        Assert.Equal(MeshErrors.NotInThisState, (await _lab.Refused(WorkflowAction.Resume)).Code);
    }

    [Fact]
    public async Task A_job_that_was_paused_is_cancelled_when_its_step_begins_anew()
    {
        await _lab.Submit(Line);
        SubmitJob a = await _lab.NextSubmitted();
        _lab.Ends(a, JobStateName.Paused);
        await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        await _lab.Change(WorkflowAction.Retry, "a");
        (CancelJob cancel, _) = await _lab.NextToJobs<CancelJob>();
        Assert.Equal(a.JobId, cancel.JobId);
        _lab.Ends(a, JobStateName.Cancelled);
        SubmitJob again = await _lab.NextSubmitted();
        Assert.NotEqual(a.JobId, again.JobId);
        _lab.Ends(again);
        Assert.Equal("b", (await _lab.NextSubmitted()).Spec.Owner!.Step);
    }

    [Fact]
    public async Task A_step_that_is_skipped_counts_as_done()
    {
        await _lab.Submit(Line);
        _lab.Ends(await _lab.NextSubmitted(), JobStateName.Cancelled);
        await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        await _lab.Change(WorkflowAction.Skip, "a");
        Assert.Equal("echo ", (await _lab.NextSubmitted()).Spec.Command.Line);
    }

    [Fact]
    public async Task While_it_is_paused_nothing_begins_and_what_runs_goes_on()
    {
        await _lab.Submit(Line);
        SubmitJob a = await _lab.NextSubmitted();
        await _lab.Change(WorkflowAction.Pause);
        _lab.Ends(a);
        WorkflowView view = await _lab.Until(state => state.Find("a")!.Name == StepStateName.Completed);
        Assert.Equal((WorkflowStateName.Paused, StepStateName.Waiting), (view.State.Name, view.State.Find("b")!.Name));
        Assert.Equal("the workflow is paused", view.Notes.Single(note => note.Step == "b").Text);
        await _lab.Change(WorkflowAction.Resume);
        Assert.Equal("b", (await _lab.NextSubmitted()).Spec.Owner!.Step);
    }

    [Fact]
    public async Task A_failure_that_is_allowed_takes_the_way_for_failures()
    {
        await _lab.Submit("""
            steps:
              - { name: try, command: x, allow-failure: true }
              - { name: rescue, command: y, needs: [fail:try] }
              - { name: use, command: z, needs: [try] }
              - { name: after-use, command: z, needs: [use] }
              - { name: always, command: "echo {{steps.try.state}}", needs: ["any:try", "any:rescue", "any:use"] }
            """);
        _lab.Ends(await _lab.NextSubmitted(), JobStateName.Failed);
        SubmitJob rescue = await _lab.NextSubmitted();
        Assert.Equal("rescue", rescue.Spec.Owner!.Step);
        _lab.Ends(rescue);
        SubmitJob always = await _lab.NextSubmitted();
        Assert.Equal("echo failed", always.Spec.Command.Line);
        _lab.Ends(always);
        WorkflowView view = await _lab.Until(state => state.EndedAt is not null);
        Assert.Equal(["failed", "completed", "omitted", "omitted", "completed"], view.State.Steps.Select(step => step.Name.ToString().ToLowerInvariant()));
        Assert.Equal(WorkflowStateName.Completed, view.State.Name);
    }

    [Fact]
    public async Task A_group_runs_on_each_device_that_is_online_and_any_on_the_least_busy_one()
    {
        _lab.Devices = [WorkflowLab.GpuBox with { Running = 5 }, WorkflowLab.Lab with { Running = 2 }];
        await _lab.Submit("""
            steps:
              - { name: each, on: "@label:gpu", command: x }
              - { name: one, on: "@any:gpu", command: y, needs: [each] }
            """);
        SubmitJob first = await _lab.NextSubmitted(), second = await _lab.NextSubmitted();
        Assert.Equal([Gpu, Third], new[] { first, second }.Select(job => job.Spec.Target.Device).Order());
        _lab.Ends(first);
        _lab.Ends(second);
        SubmitJob one = await _lab.NextSubmitted();
        Assert.Equal(Third, one.Spec.Target.Device);
    }

    [Fact]
    public async Task A_step_waits_for_somebody_with_its_label_and_a_named_device_gets_its_job_though_it_is_away()
    {
        _lab.Devices = [WorkflowLab.GpuBox with { Absence = "gpu-box is offline" }];
        WorkflowView view = await _lab.Submit("""
            steps:
              - { name: label, on: "@label:gpu", command: x }
              - { name: any, on: "@any:gpu", command: y }
              - { name: named, on: "@gpu-box", command: z }
            """);
        Assert.Equal("named", (await _lab.NextSubmitted()).Spec.Owner!.Step);
        view = await _lab.View();
        Assert.Equal(["no device of @label:gpu is online", "no device with the label gpu is online"], view.Notes.Select(note => note.Text));
        _lab.Devices = [WorkflowLab.GpuBox];
        Assert.Equal(["any", "label"], new[] { await _lab.NextSubmitted(), await _lab.NextSubmitted() }.Select(job => job.Spec.Owner!.Step).Order());
    }

    [Fact]
    public async Task A_cancelled_workflow_cancels_what_runs_and_begins_nothing()
    {
        await _lab.Submit(Line);
        SubmitJob a = await _lab.NextSubmitted();
        WorkflowView view = await _lab.Change(WorkflowAction.Cancel);
        Assert.Equal(WorkflowStateName.Cancelling, view.State.Name);
        (CancelJob cancel, _) = await _lab.NextToJobs<CancelJob>();
        Assert.Equal(a.JobId, cancel.JobId);
        _lab.Ends(a, JobStateName.Cancelled);
        view = await _lab.Until(state => state.EndedAt is not null);
        Assert.Equal(WorkflowStateName.Cancelled, view.State.Name);
        Assert.All(view.State.Steps, step => Assert.Equal(StepStateName.Cancelled, step.Name));
    }

    [Fact]
    public async Task A_crash_after_any_event_gives_the_same_jobs_and_each_result_once()
    {
        await _lab.Submit(Line);
        var jobs = new Dictionary<string, JobId>(StringComparer.Ordinal);
        foreach (string step in (string[])["a", "b", "c"])
        {
            SubmitJob before = await _lab.NextSubmitted();
            await _lab.Restart();
            SubmitJob again = await _lab.NextSubmitted();
            Assert.Equal((step, before), (again.Spec.Owner!.Step, again));
            _lab.Ends(again, text: $"result of {step}");
            _lab.Ends(again, JobStateName.Failed);
            await _lab.Until(state => state.Find(step)!.IsOver);
            await _lab.Restart();
            jobs[step] = again.JobId;
        }

        WorkflowView view = await _lab.Until(state => state.EndedAt is not null);
        Assert.All(view.State.Steps, step => Assert.Equal((jobs[step.Spec.Name], $"result of {step.Spec.Name}"), (Assert.Single(step.Runs).JobId, step.Runs[0].End!.Result)));
    }

    [Fact]
    public async Task A_fork_takes_over_what_does_not_come_after_its_step()
    {
        await _lab.Submit(Line);
        _lab.Ends(await _lab.NextSubmitted(), text: "49");
        _lab.Ends(await _lab.NextSubmitted());
        _lab.Ends(await _lab.NextSubmitted());
        WorkflowState done = (await _lab.Until(state => state.EndedAt is not null)).State;
        ValueList<StepState> taken = WorkflowRules.TakenByFork(done, "b");
        Assert.Equal("a", Assert.Single(taken).Spec.Name);

        WorkflowId id = WorkflowId.FromIdempotencyKey(Home, "fork");
        WorkflowState fork = WorkflowState.None(id).Apply(new WorkflowAcceptedEvent(Start, done.Spec! with { ForkOf = WorkflowLab.Id }, taken));
        Assert.True(fork.Find("a")! is { IsTaken: true, Name: StepStateName.Completed });
        var begun = Assert.IsType<StepBegunEvent>(WorkflowRules.Next(fork, _ => [WorkflowLab.Lab], Start));
        Assert.Equal("b", begun.Step);
        Assert.Equal("echo 49", WorkflowRules.Fill(fork, fork.Find("b")!.Spec).Line);
    }

    [Fact]
    public async Task An_artifact_of_a_step_becomes_the_input_of_another_by_its_hash()
    {
        await _lab.Submit("""
            steps:
              - { name: make, run: [make], artifacts: { out: outputs/out } }
              - { name: use, needs: [make], run: [use], inputs: { in: make/out } }
            """);
        SubmitJob make = await _lab.NextSubmitted();
        Assert.Equal([new JobArtifact("out", "outputs/out")], make.Spec.Artifacts);
        var hash = ContentHash.Of(new byte[32]);
        JobView view = WorkflowLab.ViewOf(make, JobStateName.Completed, null);
        _lab.Say(_lab.Entity, view with { Result = view.Result! with { Artifacts = [new ArtifactRef("out", hash, 7)] } });
        SubmitJob use = await _lab.NextSubmitted();
        Assert.Equal([new ArtifactInput("in", hash, 7)], use.Spec.Inputs);
    }

    [Fact]
    public async Task A_step_that_takes_a_file_from_one_that_was_skipped_pauses_the_workflow()
    {
        await _lab.Submit("""
            steps:
              - { name: make, run: [make], artifacts: { out: outputs/out } }
              - { name: use, needs: [make], run: [use], inputs: { in: make/out } }
            """);
        _lab.Ends(await _lab.NextSubmitted(), JobStateName.Failed);
        await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        await _lab.Change(WorkflowAction.Skip, "make");
        WorkflowView view = await _lab.Until(state => state.Find("use")!.Name == StepStateName.Failed);
        Assert.Equal((MeshErrors.NoValue, "step make left no artifact out behind"), (view.State.Find("use")!.Problem!.Code, view.State.Find("use")!.Problem!.Text));
    }

    [Fact]
    public async Task A_repeat_with_the_same_key_is_answered_like_the_first_and_another_file_is_refused()
    {
        await _lab.Submit(Line);
        Assert.True((await _lab.Ask<WorkflowAccepted>(new SubmitWorkflow(WorkflowLab.Id, WorkflowLab.Read(Line), []))).Repeated);
        WorkflowProblem refused = await _lab.Ask<WorkflowProblem>(new SubmitWorkflow(WorkflowLab.Id, WorkflowLab.Read(Line.Replace("calc", "echo", StringComparison.Ordinal)), []));
        Assert.Equal(MeshErrors.KeyReused, refused.Problem.Code);
    }

    [Fact]
    public async Task Only_its_own_device_may_see_or_change_it()
    {
        await _lab.Submit(Line);
        var foreign = new ForeignRef((ExtendedActorSystem)_lab.System, Gpu, "somebody");
        _lab.Entity.Tell(new GetWorkflow(WorkflowLab.Id), foreign);
        Assert.Equal(MeshErrors.NotYours, (await foreign.Next<WorkflowProblem>()).Problem.Code);
        _lab.Entity.Tell(new ChangeWorkflow(WorkflowLab.Id, WorkflowAction.Cancel, "", Laptop), foreign);
        Assert.Equal(MeshErrors.NotYours, (await foreign.Next<WorkflowProblem>()).Problem.Code);
        SubmitJob a = await _lab.NextSubmitted();
        _lab.Entity.Tell(WorkflowLab.ViewOf(a, JobStateName.Completed, "forged"), foreign);
        _lab.Ends(a, text: "true");
        Assert.Equal("echo true", (await _lab.NextSubmitted()).Spec.Command.Line);
    }
}
