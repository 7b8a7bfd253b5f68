using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Webhooks;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>The end of a job and its receiver, with crashes between.</summary>
public sealed class JobDeliveryEntityTests
{
    [Fact]
    public async Task The_end_is_told_once_and_never_again()
    {
        await using var lab = new JobLab();
        await CompleteAsync(lab);
        SentParcel sent = await lab.Parcels.Next(JobLab.Patience);
        Assert.Equal((Job, JobStateName.Completed, 1, "3"), (sent.Parcel.JobId, sent.Parcel.State, sent.Parcel.Attempt, sent.Parcel.Report.Text));
        sent.Answer(204);

        JobView view = await lab.Until(JobStateName.Completed, each => each.Delivery is { IsDue: false });
        Assert.Equal((DeliveryState.Delivered, 1, 204), (view.Delivery!.State, view.Delivery.Attempts, view.Delivery.Status));
        await lab.Kill();
        Assert.Equal(DeliveryState.Delivered, (await lab.View()).Delivery!.State);
        Assert.Equal(0, lab.Parcels.Waiting);
        Assert.Equal([typeof(AcceptedEvent), typeof(CompletedEvent), typeof(ToldEvent)], lab.Stored.Select(change => change.GetType()));
    }

    [Fact]
    public async Task A_crash_before_the_answer_tells_the_same_again_with_the_same_id()
    {
        await using var lab = new JobLab();
        await CompleteAsync(lab);
        SentParcel first = await lab.Parcels.Next(JobLab.Patience);
        await lab.Kill();
        Assert.True(first.Cancelled.IsCancellationRequested);

        // As a node does that was restarted, for what the index does not show at rest.
        await lab.Ask<JobView>(new WakeJob(Job));
        SentParcel second = await lab.Parcels.Next(JobLab.Patience);
        Assert.Equal(first.Parcel, second.Parcel);
        second.Answer(200);
        await lab.Until(JobStateName.Completed, each => each.Delivery is { State: DeliveryState.Delivered });
    }

    [Fact]
    public async Task A_failed_attempt_is_counted_over_a_crash_and_its_wait_goes_on()
    {
        await using var lab = new JobLab();
        await CompleteAsync(lab);
        (await lab.Parcels.Next(JobLab.Patience)).Answer(503, TimeSpan.FromMinutes(5));
        await lab.Until(JobStateName.Completed, each => each.Delivery is { Attempts: 1 });
        await lab.Kill();
        await lab.Ask<JobView>(new WakeJob(Job));
        Assert.Equal(0, lab.Parcels.Waiting);

        lab.Time.Advance(TimeSpan.FromMinutes(5));
        await lab.Kill();
        await lab.Ask<JobView>(new WakeJob(Job));
        SentParcel again = await lab.Parcels.Next(JobLab.Patience);
        Assert.Equal(2, again.Parcel.Attempt);
        again.Answer(410);
        JobView view = await lab.Until(JobStateName.Completed, each => each.Delivery is { IsDue: false });
        Assert.Equal((DeliveryState.GivenUp, 2, 410, MeshErrors.NotifyRefused), (view.Delivery!.State, view.Delivery.Attempts, view.Delivery.Status, view.Delivery.Problem!.Code));
    }

    [Fact]
    public async Task A_job_that_waits_to_be_told_stays_in_memory_and_one_that_was_told_goes()
    {
        await using var lab = new JobLab(restAfter: TimeSpan.FromMilliseconds(50));
        await CompleteAsync(lab);
        SentParcel sent = await lab.Parcels.Next(JobLab.Patience);
        await Task.Delay(300);
        Assert.True(await lab.Shard.Ask<bool>(new JobLab.IsAlive(Job), JobLab.Patience));
        Assert.False(sent.Cancelled.IsCancellationRequested);
        sent.Answer(200);
        using var limit = new CancellationTokenSource(JobLab.Patience);
        while (await lab.Shard.Ask<bool>(new JobLab.IsAlive(Job), JobLab.Patience))
        {
            await Task.Delay(10, limit.Token);
        }

        Assert.IsType<ToldEvent>(lab.Stored.Last());
    }

    [Fact]
    public async Task A_person_who_retries_takes_back_what_was_not_told_and_the_next_end_is()
    {
        await using var lab = new JobLab();
        await lab.Submit(Told(NotifyOn.Any));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Refused, Problem: new Problem("AM0601", "no"))));
        SentParcel first = await lab.Parcels.Next(JobLab.Patience);
        Assert.Equal(JobStateName.Failed, first.Parcel.State);

        await lab.Ask<JobView>(new RetryJob(Job, Laptop));
        RunAttempt order = await lab.Workers.Next<RunAttempt>();
        first.Answer(503);
        lab.Say(new AttemptEnded(Job, order.Attempt, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")));
        SentParcel second = await lab.Parcels.Next(JobLab.Patience);
        Assert.Equal((JobStateName.Completed, 1), (second.Parcel.State, second.Parcel.Attempt));
        Assert.NotEqual(first.Parcel.DeliveryId, second.Parcel.DeliveryId);
    }

    [Fact]
    public async Task An_end_that_nobody_asked_for_is_not_told()
    {
        await using var lab = new JobLab();
        await CompleteAsync(lab, NotifyOn.Failure);
        Assert.Null((await lab.Until(JobStateName.Completed)).Delivery);
        Assert.Equal(0, lab.Parcels.Waiting);
    }

    private static JobSpec Told(NotifyOn on) => Spec with { Notify = new Notify("https://example.org/hook", on) };

    private static async Task CompleteAsync(JobLab lab, NotifyOn on = NotifyOn.Any)
    {
        await lab.Submit(Told(on));
        lab.Say(new AttemptStarted(Job, 1, JobLab.Life));
        lab.Say(new AttemptEnded(Job, 1, new AttemptResult(AttemptOutcome.Succeeded, 0, "3")));
    }
}
