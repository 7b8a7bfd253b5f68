using System.Security.Cryptography;
using System.Text;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Mesh.Webhooks;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Arrays;

/// <summary>The end of an array and its receiver: once for all elements.</summary>
public sealed class ArrayDeliveryTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ArrayLab _lab = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _lab.DisposeAsync();

    [Fact]
    public async Task The_end_of_all_elements_is_told_once_with_those_that_did_not_complete()
    {
        SubmitJob[] jobs = await SubmitAsync(NotifyOn.Any, 3);
        Assert.All(jobs, job => Assert.Null(job.Spec.Notify));
        _lab.Ends(jobs[0]);
        _lab.Ends(jobs[1], JobStateName.Failed);
        await _lab.Until(view => view.Running == 1);
        Assert.Equal(0, _lab.Parcels.Waiting);
        _lab.Ends(jobs[2]);

        SentParcel sent = await _lab.Parcels.Next(Patience);
        ToldArray told = sent.Parcel.Array!;
        Assert.Equal((JobStateName.Failed, 3, 2, 1, 0), (sent.Parcel.State, told.Count, told.Completed, told.Failed, told.Cancelled));
        ElementView worst = Assert.Single(told.Worst);
        Assert.Equal((ElementStateName.Failed, 1, jobs[1].JobId), (worst.State, worst.ExitCode, worst.JobId));
        sent.Answer(204);
        ArrayView view = await _lab.Until(each => each.Delivery is { IsDue: false });
        Assert.Equal((DeliveryState.Delivered, 1, 204), (view.Delivery!.State, view.Delivery.Attempts, view.Delivery.Status));
        await _lab.Restart();
        Assert.Equal(DeliveryState.Delivered, (await _lab.View()).Delivery!.State);
        Assert.Equal(0, _lab.Parcels.Waiting);
    }

    [Fact]
    public async Task A_crash_before_the_answer_tells_the_same_again_and_a_failed_attempt_is_counted_over_it()
    {
        SubmitJob[] jobs = await SubmitAsync(NotifyOn.Success, 1);
        _lab.Ends(jobs[0]);
        SentParcel first = await _lab.Parcels.Next(Patience);
        await _lab.Restart();
        await _lab.Ask<ArrayView>(new WakeArray(ArrayLab.Id));
        SentParcel second = await _lab.Parcels.Next(Patience);
        Assert.True(first.Cancelled.IsCancellationRequested);
        Assert.Equal(first.Parcel, second.Parcel);
        second.Answer(503);
        await _lab.Until(each => each.Delivery is { Attempts: 1 });

        await _lab.Restart();
        _lab.Time.Now += TimeSpan.FromMinutes(1);
        await _lab.Ask<ArrayView>(new WakeArray(ArrayLab.Id));
        SentParcel third = await _lab.Parcels.Next(Patience);
        Assert.Equal((2, first.Parcel.DeliveryId), (third.Parcel.Attempt, third.Parcel.DeliveryId));
        third.Answer(200);
        await _lab.Until(each => each.Delivery is { State: DeliveryState.Delivered, Attempts: 2 });
    }

    [Fact]
    public async Task A_person_who_retries_takes_back_what_was_not_told_and_the_next_end_is()
    {
        SubmitJob[] jobs = await SubmitAsync(NotifyOn.Any, 1);
        _lab.Ends(jobs[0], JobStateName.Failed);
        SentParcel first = await _lab.Parcels.Next(Patience);
        await _lab.Ask<ArrayView>(new RetryArray(ArrayLab.Id, Laptop));
        Assert.Null((await _lab.View()).Delivery);
        first.Answer(503);

        // Within the same millisecond: the id does not follow from the moment.
        jobs = await _lab.NextSubmitted(1);
        _lab.Ends(jobs[0]);
        SentParcel second = await _lab.Parcels.Next(Patience);
        Assert.Equal((JobStateName.Completed, 1), (second.Parcel.State, second.Parcel.Attempt));
        Assert.Equal(first.Parcel.Report.EndedAt, second.Parcel.Report.EndedAt);
        Assert.NotEqual(first.Parcel.DeliveryId, second.Parcel.DeliveryId);
    }

    [Theory]
    [InlineData(NotifyOn.Success, JobStateName.Failed)]
    [InlineData(NotifyOn.Failure, JobStateName.Completed)]
    public async Task An_end_that_nobody_asked_for_is_not_told(NotifyOn on, JobStateName end)
    {
        SubmitJob[] jobs = await SubmitAsync(on, 1);
        _lab.Ends(jobs[0], end);
        Assert.Null((await _lab.Until(view => view.EndedAt is not null)).Delivery);
        Assert.Equal(0, _lab.Parcels.Waiting);
    }

    // As the version had it that began with them: what was not taken before an update is repeated under the id that it had.
    [Fact]
    public void An_end_in_a_journal_of_before_keeps_its_id()
    {
        ArraySpec spec = ArrayLab.SpecOf(1, parallel: 1) with { Notify = new Notify("https://example.org/hook", NotifyOn.Any) };
        ArrayState array = ArrayState.None(ArrayLab.Id).Apply(new ArrayAcceptedEvent(Start, spec)).Apply(new ArrayCancelRequestedEvent(Start, Laptop)).Apply(new ArrayEndedEvent(Start) { IsDue = true });
        string expected = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{ArrayLab.Id}/{Start.ToUnixTimeMilliseconds()}")).AsSpan(0, 16));
        Assert.Equal(expected, ArrayDeliveryRules.Ready(ArraySnapshot.Of(array).ToState(ArrayLab.Id), Start)!.DeliveryId);
        array = array.Apply(ArrayDeliveryRules.Ended(array, expected, DeliveryAnswer.Of(503, "", null), Start)!);
        Assert.Equal(expected, ArrayDeliveryRules.Ready(array, Start.AddHours(1))!.DeliveryId);
    }

    // A node that is restarted wakes what is not at rest: an end that is to be told is not, until it was.
    [Fact]
    public void An_end_that_is_to_be_told_is_not_at_rest()
    {
        Assert.Equal([ArrayManifests.Told, ArrayManifests.Ended], ArrayManifests.AtRest.Order(StringComparer.Ordinal));
    }

    private async Task<SubmitJob[]> SubmitAsync(NotifyOn on, int count)
    {
        ArraySpec spec = ArrayLab.SpecOf(count, parallel: count) with { Notify = new Notify("https://example.org/hook", on) };
        Assert.False((await _lab.Ask<ArrayAccepted>(new SubmitArray(ArrayLab.Id, spec))).Repeated);
        return [.. (await _lab.NextSubmitted(count)).OrderBy(job => job.Spec.IdempotencyKey, StringComparer.Ordinal)];
    }
}
