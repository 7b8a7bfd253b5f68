using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using static AgentMesh.Mesh.Tests.Cron.CronSamples;

namespace AgentMesh.Mesh.Tests.Cron;

/// <summary>The end of a run and its receiver, with crashes between.</summary>
public sealed class CronDeliveryEntityTests : IAsyncLifetime
{
    private readonly CronLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task The_end_of_a_run_is_told_once_and_never_again()
    {
        await Create();
        JobId job = await RunAt(1, JobStateName.Failed);
        SentParcel sent = await _lab.NextSent();
        Assert.Equal((job, JobStateName.Failed, 1, "https://example.org/hook"), (sent.Parcel.JobId, sent.Parcel.State, sent.Parcel.Attempt, sent.Parcel.Url));
        sent.Answer(204);

        CronView view = await _lab.Until(each => each.LastDelivery?.Delivery.State == DeliveryState.Delivered);
        Assert.Equal((job, 1, 204), (view.LastDelivery!.JobId, view.LastDelivery.Delivery.Attempts, view.LastDelivery.Delivery.Status));
        await _lab.RestartNode();
        await _lab.At(Midnight.AddHours(1.5));
        Assert.Equal(DeliveryState.Delivered, (await _lab.View()).Runs[0].Delivery!.State);
        Assert.Equal(0, _lab.WaitingToBeTold);
    }

    [Fact]
    public async Task A_crash_before_the_answer_tells_the_same_again_with_the_same_id()
    {
        await Create();
        await RunAt(1);
        SentParcel first = await _lab.NextSent();

        await _lab.RestartNode();
        SentParcel second = await _lab.NextSent();

        Assert.True(first.Cancelled.IsCancellationRequested);
        Assert.Equal(first.Parcel, second.Parcel);
        second.Answer(200);
        await _lab.Until(each => each.Runs[0].Delivery!.State == DeliveryState.Delivered);
    }

    [Fact]
    public async Task A_failed_attempt_is_counted_over_a_restart_and_its_wait_goes_on()
    {
        await Create();
        await RunAt(1);
        (await _lab.NextSent()).Answer(503, TimeSpan.FromMinutes(5));
        await _lab.Until(each => each.LastDelivery is not null);

        await _lab.RestartNode();
        await _lab.At(Midnight.AddHours(1).AddMinutes(4));
        await _lab.View();
        Assert.Equal(0, _lab.WaitingToBeTold);
        await _lab.At(Midnight.AddHours(1).AddMinutes(5));
        SentParcel again = await _lab.NextSent();
        Assert.Equal(2, again.Parcel.Attempt);
        again.Answer(410);

        CronView view = await _lab.Until(each => each.LastDelivery!.Delivery.State == DeliveryState.GivenUp);
        Assert.Equal((2, 410, MeshErrors.NotifyRefused), (view.LastDelivery!.Delivery.Attempts, view.LastDelivery.Delivery.Status, view.LastDelivery.Delivery.Problem!.Code));
        await _lab.At(Midnight.AddHours(1.9));
        Assert.Equal(0, _lab.WaitingToBeTold);
    }

    [Fact]
    public async Task A_disabled_schedule_still_tells_what_has_ended()
    {
        await Create();
        await RunAt(1);
        (await _lab.NextSent()).Answer(500);
        await _lab.Until(each => each.LastDelivery is not null);
        await _lab.Ask<CronView>(new EnableCron(CronLab.Id, false));
        await _lab.RestartNode();

        await _lab.At(Midnight.AddHours(2));
        (await _lab.NextSent()).Answer(200);
        await _lab.Until(each => each.Runs[0].Delivery!.State == DeliveryState.Delivered);
    }

    [Fact]
    public async Task A_schedule_that_is_removed_takes_what_was_due_along()
    {
        await Create();
        await RunAt(1);
        SentParcel sent = await _lab.NextSent();
        await _lab.Ask<CronRemoved>(new RemoveCron(CronLab.Id));
        sent.Answer(500);

        await Create();
        await _lab.RestartNode();
        CronView view = await _lab.View();
        Assert.Empty(view.Runs);
        Assert.Null(view.LastDelivery);
        await _lab.At(Midnight.AddHours(1.5));
        Assert.Equal(0, _lab.WaitingToBeTold);
    }

    [Fact]
    public async Task Runs_that_wait_to_be_told_go_one_after_the_other_the_oldest_first()
    {
        await Create();
        JobId first = await RunAt(1), second = await RunAt(2);
        SentParcel sent = await _lab.NextSent();
        await _lab.View();
        Assert.Equal((first, 0), (sent.Parcel.JobId, _lab.WaitingToBeTold));
        sent.Answer(200);
        Assert.Equal(second, (await _lab.NextSent()).Parcel.JobId);
    }

    [Fact]
    public async Task A_run_that_nobody_asked_for_is_not_told()
    {
        await Create(NotifyOn.Failure);
        await RunAt(1);
        await _lab.Until(each => each.Runs[0].IsOver);
        Assert.Null((await _lab.View()).Runs[0].Delivery);
        Assert.Equal(0, _lab.WaitingToBeTold);
    }

    // Snapshots are taken every hundred events: so many runs go by until the first one.
    [Fact]
    public async Task What_is_due_comes_back_from_a_snapshot_with_all_that_is_told()
    {
        await Create();
        JobId first = await RunAt(1, JobStateName.Failed);
        SentParcel sent = await _lab.NextSent();
        for (int hour = 2; hour <= 52; hour++)
        {
            await RunAt(hour);
        }

        await _lab.RestartNode();
        SentParcel again = await _lab.NextSent();
        Assert.Equal(sent.Parcel, again.Parcel);
        Assert.Equal((first, 1, "gpu-box"), (again.Parcel.JobId, again.Parcel.Report.Attempt, again.Parcel.Report.On));
        Assert.Equal(52, (await _lab.View()).Runs.Length);
        Assert.All((await _lab.View()).Runs, run => Assert.True(run.Delivery is { IsDue: true, Report: null }));
    }

    private Task<CronView> Create(NotifyOn on = NotifyOn.Any) =>
        _lab.Ask<CronView>(new CreateCron(CronLab.Id, Spec("0 * * * *", CronMissed.All) with { Notify = new Notify("https://example.org/hook", on) }, Replace: false));

    private async Task<JobId> RunAt(int hour, JobStateName end = JobStateName.Completed)
    {
        await _lab.At(Midnight.AddHours(hour));
        JobId job = await _lab.RunNext(end);
        await _lab.Until(each => each.Runs.Any(run => run.JobId == job && run.IsOver));
        return job;
    }
}
