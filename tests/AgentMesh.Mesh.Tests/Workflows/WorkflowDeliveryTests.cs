using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Workflows;

/// <summary>The end of a workflow, or its stop at a step that failed, and its receiver.</summary>
public sealed class WorkflowDeliveryTests : IAsyncLifetime
{
    private const string Line = """
        name: nightly
        steps:
          - { name: a, on: "@gpu-box", command: x }
          - { name: b, on: "@lab", needs: [a], command: y }
        """;

    private const string Beside = """
        steps:
          - { name: a, on: "@gpu-box", command: x }
          - { name: b, on: "@lab", command: y }
          - { name: c, needs: [a], command: z }
        """;

    private const string Single = "steps: [{ name: a, command: x }]";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WorkflowLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task The_end_is_told_once_with_its_counts_and_not_that_of_a_step()
    {
        await SubmitAsync(Line, NotifyOn.Any);
        SubmitJob a = await _lab.NextSubmitted();
        Assert.Null(a.Spec.Notify);
        _lab.Ends(a);
        SubmitJob b = await _lab.NextSubmitted();
        Assert.Equal(0, _lab.Parcels.Waiting);
        _lab.Time.Now += TimeSpan.FromSeconds(7);
        _lab.Ends(b);

        SentParcel sent = await _lab.Parcels.Next(Patience);
        ToldWorkflow told = sent.Parcel.Workflow!;
        Assert.Equal(
            (JobStateName.Completed, "nightly", "a key", 2, 2, 0, TimeSpan.FromSeconds(7)),
            (sent.Parcel.State, told.Name, sent.Parcel.Key, told.Count, told.Completed, told.Failed, sent.Parcel.Report.EndedAt - sent.Parcel.Report.BeganAt!.Value));
        Assert.Null(sent.Parcel.Report.Problem);
        sent.Answer(204);
        WorkflowView view = await _lab.Until(state => state.Rest is { Delivery.IsDue: false });
        Assert.Equal((DeliveryState.Delivered, 1, 204), (view.State.Rest!.Delivery.State, view.State.Rest.Delivery.Attempts, view.State.Rest.Delivery.Status));
        await _lab.Restart();
        Assert.Equal(view.State.Rest, (await _lab.View()).State.Rest);
        Assert.Equal(0, _lab.Parcels.Waiting);
    }

    [Fact]
    public async Task A_step_that_fails_is_told_when_nothing_runs_any_more_and_what_became_of_it_after_a_resume_under_another_id()
    {
        await SubmitAsync(Beside, NotifyOn.Any);
        SubmitJob[] both = [await _lab.NextSubmitted(), await _lab.NextSubmitted()];
        SubmitJob a = both.Single(job => job.Spec.Owner!.Step == "a"), b = both.Single(job => job.Spec.Owner!.Step == "b");
        _lab.Ends(a, JobStateName.Failed);
        await _lab.Until(state => state.Name == WorkflowStateName.Paused);
        Assert.Equal(0, _lab.Parcels.Waiting);
        _lab.Ends(b);

        SentParcel first = await _lab.Parcels.Next(Patience);
        ToldWorkflow told = first.Parcel.Workflow!;
        Assert.Equal((JobStateName.Paused, 3, 1, 1), (first.Parcel.State, told.Count, told.Completed, told.Failed));
        Assert.Equal(("AM0323", "step a failed: gpu-box: the program ended with exit code 1"), (first.Parcel.Report.Problem!.Code, first.Parcel.Report.Problem.Text));
        ToldStep step = Assert.Single(told.FailedSteps);
        Assert.Equal(("a", false, a.JobId, "gpu-box", 1), (step.Name, step.IsAllowed, step.JobId, step.DeviceName, step.ExitCode));
        first.Answer(503);
        await _lab.Until(state => state.Rest is { Delivery.Attempts: 1 });

        // Whoever resumes it knows: the stop is not told any more. Within the same millisecond it stops again, which is another end.
        Assert.Null((await _lab.Change(WorkflowAction.Resume)).State.Rest);
        SubmitJob again = await _lab.NextSubmitted();
        Assert.Equal(0, _lab.Parcels.Waiting);
        _lab.Ends(again, JobStateName.Failed);
        SentParcel second = await _lab.Parcels.Next(Patience);
        Assert.Equal((JobStateName.Paused, 1, first.Parcel.Report.EndedAt), (second.Parcel.State, second.Parcel.Attempt, second.Parcel.Report.EndedAt));
        Assert.NotEqual(first.Parcel.DeliveryId, second.Parcel.DeliveryId);

        // The answer to what was taken back is no answer to the next.
        await _lab.Change(WorkflowAction.Skip, "a");
        second.Answer(410);
        SubmitJob c = await _lab.NextSubmitted();
        _lab.Ends(c);
        SentParcel last = await _lab.Parcels.Next(Patience);
        Assert.Equal((JobStateName.Completed, 1), (last.Parcel.State, last.Parcel.Attempt));
        Assert.DoesNotContain(last.Parcel.DeliveryId, new[] { first.Parcel.DeliveryId, second.Parcel.DeliveryId });
    }

    [Theory]
    [InlineData(JobStateName.Completed)]
    [InlineData(JobStateName.Failed)]
    public async Task A_crash_before_the_answer_tells_the_same_again_and_a_failed_attempt_is_counted_over_it(JobStateName end)
    {
        await SubmitAsync(Single, NotifyOn.Any);
        _lab.Ends(await _lab.NextSubmitted(), end);
        SentParcel first = await _lab.Parcels.Next(Patience);
        await _lab.Restart();
        await _lab.Ask<WorkflowView>(new WakeWorkflow(WorkflowLab.Id));
        SentParcel second = await _lab.Parcels.Next(Patience);
        Assert.True(first.Cancelled.IsCancellationRequested);
        Assert.Equal(first.Parcel, second.Parcel);
        second.Answer(503);
        await _lab.Until(state => state.Rest is { Delivery.Attempts: 1 });

        await _lab.Restart();
        await _lab.Ask<WorkflowView>(new WakeWorkflow(WorkflowLab.Id));
        _lab.Time.Now += TimeSpan.FromMinutes(1);
        await _lab.Ask<WorkflowView>(new WakeWorkflow(WorkflowLab.Id));
        SentParcel third = await _lab.Parcels.Next(Patience);
        Assert.Equal((2, first.Parcel.DeliveryId), (third.Parcel.Attempt, third.Parcel.DeliveryId));
        third.Answer(200);
        await _lab.Until(state => state.Rest is { Delivery: { State: DeliveryState.Delivered, Attempts: 2 } });
    }

    [Fact]
    public async Task A_step_that_cannot_begin_stops_it_and_is_told()
    {
        await SubmitAsync("""
            steps:
              - { name: a, command: x }
              - { name: b, needs: [a], command: "echo {{steps.a.result}}" }
            """, NotifyOn.Failure);
        _lab.Ends(await _lab.NextSubmitted(), text: new string('9', WorkflowSpec.ValueBytesMax + 1));
        SentParcel sent = await _lab.Parcels.Next(Patience);
        ToldStep step = Assert.Single(sent.Parcel.Workflow!.FailedSteps);
        Assert.Equal((JobStateName.Paused, "b", MeshErrors.NoValue, true), (sent.Parcel.State, step.Name, step.Problem!.Code, step.JobId.IsNone));
    }

    [Fact]
    public async Task That_a_person_paused_it_is_not_told_and_that_one_cancelled_it_is()
    {
        await SubmitAsync(Line, NotifyOn.Any);
        SubmitJob a = await _lab.NextSubmitted();
        await _lab.Change(WorkflowAction.Pause);
        _lab.Ends(a);
        Assert.Null((await _lab.Until(state => !state.Running.Any())).State.Rest);
        await _lab.Change(WorkflowAction.Cancel);
        SentParcel sent = await _lab.Parcels.Next(Patience);
        Assert.Equal((JobStateName.Cancelled, 1, 0), (sent.Parcel.State, sent.Parcel.Workflow!.Completed, sent.Parcel.Workflow.Failed));
    }

    [Theory]
    [InlineData(NotifyOn.Success, JobStateName.Failed)]
    [InlineData(NotifyOn.Failure, JobStateName.Completed)]
    public async Task An_end_that_nobody_asked_for_is_not_told(NotifyOn on, JobStateName end)
    {
        await SubmitAsync(Single, on);
        _lab.Ends(await _lab.NextSubmitted(), end);
        Assert.Null((await _lab.Until(state => state.EndedAt is not null || state.Name == WorkflowStateName.Paused)).State.Rest);
        Assert.Equal(0, _lab.Parcels.Waiting);
    }

    // A node that is restarted wakes what is not at rest: an end that is to be told is not, until it was. One that stopped is never.
    [Fact]
    public void An_end_that_is_to_be_told_is_not_at_rest()
    {
        Assert.Equal([WorkflowManifests.EndedTold, WorkflowManifests.Ended], WorkflowManifests.AtRest.Order(StringComparer.Ordinal));
    }

    private async Task SubmitAsync(string text, NotifyOn on)
    {
        WorkflowSpec spec = WorkflowLab.Read(text) with { IdempotencyKey = "a key", Notify = new Notify("https://example.org/hook", on) };
        Assert.False((await _lab.Ask<WorkflowAccepted>(new SubmitWorkflow(WorkflowLab.Id, spec, []))).Repeated);
    }
}
