using System.Text.Json;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Cron.Delivery;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Schedules.Delivery;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Schedules;

public sealed class CronNotifierTests
{
    private static readonly DeviceId Home = DeviceId.Parse(new string('a', 32));
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 30, 0, TimeSpan.Zero);
    private static readonly DeliveryAnswer Taken = new(DeliveryVerdict.Delivered, 200, null);

    [Fact]
    public async Task No_more_than_a_few_are_on_their_way_at_a_time()
    {
        var over = new TaskCompletionSource();
        int now = 0, most = 0, all = 0;
        using var notifier = new CronNotifier(
            async (_, _) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                Interlocked.Increment(ref all);
                await over.Task;
                Interlocked.Decrement(ref now);
                return Taken;
            },
            (_, _, _, _, _) => Task.FromResult(default(OutputEnds)),
            "");
        Task<DeliveryAnswer>[] sending = [.. Enumerable.Range(0, 3 * CronNotifier.SendingMax).Select(each => notifier.DeliverAsync(Parcel(each, "42", $"https://h{each}.example.org/"), CancellationToken.None))];
        Assert.Equal(CronNotifier.SendingMax, now);
        over.SetResult();
        await Task.WhenAll(sending);
        Assert.Equal((CronNotifier.SendingMax, sending.Length), (most, all));
    }

    [Fact]
    public async Task A_receiver_that_never_answers_keeps_only_its_own_messages_waiting()
    {
        var never = new TaskCompletionSource();
        var sent = new List<string>();
        using var notifier = new CronNotifier(
            async (request, cancel) =>
            {
                sent.Add(request.Url.AbsoluteUri);
                await (request.Url.Host == "dead.example.org" ? never.Task.WaitAsync(cancel) : Task.CompletedTask);
                return Taken;
            },
            (_, _, _, _, _) => Task.FromResult(default(OutputEnds)),
            "");
        using var over = new CancellationTokenSource();
        Task<DeliveryAnswer>[] dead = [.. Enumerable.Range(0, 3 * CronNotifier.SendingMax).Select(each => notifier.DeliverAsync(Parcel(each, "42", $"https://{(each % 2 == 0 ? "dead" : "DEAD")}.example.org/{each}"), over.Token))];
        Assert.Equal(CronNotifier.SendingToOneMax, sent.Count);

        // Another port is another receiver.
        Assert.All(
            await Task.WhenAll(((string[])["https://fine.example.org/", "https://fine.example.org:8443/"]).Select(url => notifier.DeliverAsync(Parcel(100, "42", url), CancellationToken.None))),
            answer => Assert.Equal(DeliveryVerdict.Delivered, answer.Verdict));
        Assert.Equal(1, notifier.Receivers);

        await over.CancelAsync();
        await ((Task)Task.WhenAll(dead)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.All(dead, each => Assert.True(each.IsCanceled));
        Assert.Equal(0, notifier.Receivers);
    }

    [Fact]
    public async Task The_end_of_the_output_is_sent_and_that_of_a_handler_is_its_text()
    {
        var sent = new List<WebhookRequest>();
        using var notifier = new CronNotifier(
            (request, _) =>
            {
                sent.Add(request);
                return Task.FromResult(Taken);
            },
            (job, attempt, stdout, stderr, _) => Task.FromResult(new OutputEnds($"{attempt} {stdout}", $"{stderr}")),
            "");
        await notifier.DeliverAsync(Parcel(1, "42"), CancellationToken.None);
        await notifier.DeliverAsync(Parcel(1, null), CancellationToken.None);

        Assert.Equal(["42|", "2 7|5"], sent.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("data")).Select(data => $"{data.GetProperty("stdout")}|{data.GetProperty("stderr")}"));
        Assert.All(sent, request => Assert.Equal(("delivery 1", "https://example.org/"), (request.Id, request.Url.AbsoluteUri)));
    }

    // Nothing is sent unsigned because the file has gone.
    [Fact]
    public async Task Without_the_secrets_that_are_set_nothing_is_sent_and_it_is_tried_again()
    {
        using var notifier = new CronNotifier((_, _) => throw new InvalidOperationException("sent"), (_, _, _, _, _) => Task.FromResult(default(OutputEnds)), "/nowhere/secret");
        DeliveryAnswer answer = await notifier.DeliverAsync(Parcel(1, "42"), CancellationToken.None);
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifySecret), (answer.Verdict, answer.Problem!.Code));
        await Assert.ThrowsAsync<InvalidOperationException>(() => new CronNotifier((_, _) => throw new InvalidOperationException("sent"), (_, _, _, _, _) => Task.FromResult(default(OutputEnds)), "").DeliverAsync(Parcel(1, "42"), CancellationToken.None));
    }

    private static CronParcel Parcel(int number, string? text, string url = "https://example.org/")
    {
        var run = new CronRun(JobId.FromIdempotencyKey(Home, $"{number}"), Start, CronCause.Schedule, Start, JobStateName.Completed, Start);
        return new CronParcel($"delivery {number}", new CronId(Home, "nightly"), url, run, new CronReport(2, Home, "here", 0, Start, Start, null, text is null ? 7 : 0, text is null ? 5 : 0, text), 1);
    }
}
