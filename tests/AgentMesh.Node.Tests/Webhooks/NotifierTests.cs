using System.Text.Json;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests.Webhooks;

public sealed class NotifierTests
{
    private static readonly DeviceId Home = DeviceId.Parse(new string('a', 32));
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 30, 0, TimeSpan.Zero);
    private static readonly DeliveryAnswer Taken = new(DeliveryVerdict.Delivered, 200, null);

    [Fact]
    public async Task No_more_than_a_few_are_on_their_way_at_a_time()
    {
        var over = new TaskCompletionSource();
        int now = 0, most = 0, all = 0;
        using var notifier = new Notifier(
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
        Task<DeliveryAnswer>[] sending = [.. Enumerable.Range(0, 3 * Notifier.SendingMax).Select(each => notifier.DeliverAsync(Parcel(each, "42", $"https://h{each}.example.org/"), CancellationToken.None))];
        Assert.Equal(Notifier.SendingMax, now);
        over.SetResult();
        await Task.WhenAll(sending);
        Assert.Equal((Notifier.SendingMax, sending.Length), (most, all));
    }

    [Fact]
    public async Task A_receiver_that_never_answers_keeps_only_its_own_messages_waiting()
    {
        var never = new TaskCompletionSource();
        var sent = new List<string>();
        using var notifier = new Notifier(
            async (request, cancel) =>
            {
                sent.Add(request.Url.AbsoluteUri);
                await (request.Url.Host == "dead.example.org" ? never.Task.WaitAsync(cancel) : Task.CompletedTask);
                return Taken;
            },
            (_, _, _, _, _) => Task.FromResult(default(OutputEnds)),
            "");
        using var over = new CancellationTokenSource();
        Task<DeliveryAnswer>[] dead = [.. Enumerable.Range(0, 3 * Notifier.SendingMax).Select(each => notifier.DeliverAsync(Parcel(each, "42", $"https://{(each % 2 == 0 ? "dead" : "DEAD")}.example.org/{each}"), over.Token))];
        Assert.Equal(Notifier.SendingToOneMax, sent.Count);

        // Another port is another receiver.
        Assert.All(
            await Task.WhenAll(((string[])["https://fine.example.org/", "https://fine.example.org:8443/"]).Select(url => notifier.DeliverAsync(Parcel(100, "42", url), CancellationToken.None))).WaitAsync(TimeSpan.FromSeconds(30)),
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
        using var notifier = new Notifier(
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

    [Fact]
    public async Task A_job_and_a_run_of_a_schedule_are_told_apart()
    {
        var sent = new List<JsonElement>();
        using var notifier = new Notifier(
            (request, _) =>
            {
                sent.Add(JsonDocument.Parse(request.Body).RootElement);
                return Task.FromResult(Taken);
            },
            (_, _, _, _, _) => Task.FromResult(default(OutputEnds)),
            "");
        Parcel run = Parcel(1, "42");
        await notifier.DeliverAsync(run, CancellationToken.None);
        await notifier.DeliverAsync(run with { Scheduled = null, Key = "mine", State = JobStateName.Failed }, CancellationToken.None);

        Assert.Equal(["cron.run.completed", "job.failed"], sent.Select(each => each.GetProperty("type").GetString()));
        string[] ofRun = Fields(sent[0]), ofJob = Fields(sent[1]);
        Assert.Equal(["schedule", "id", "cause", "due"], ofRun.Except(ofJob));
        Assert.Equal(["key"], ofJob.Except(ofRun));
        Assert.Equal(("mine", run.JobId.ToString(), "failed"), (Text(sent[1], "key"), Text(sent[1], "job"), Text(sent[1], "state")));

        static string[] Fields(JsonElement of) => [.. of.GetProperty("data").EnumerateObject().Select(field => field.Name)];
        static string? Text(JsonElement of, string name) => of.GetProperty("data").GetProperty(name).GetString();
    }

    [Fact]
    public async Task An_array_is_told_with_its_counts_and_the_elements_that_did_not_complete()
    {
        var failed = new ElementView(1, 2, ElementStateName.Failed, "lr=0.1", JobId.FromIdempotencyKey(Home, "2"), "gpu-box", 3, new Problem("AM0323", "ended"), null, Start, Start);
        var array = new ToldArray(ArrayId.FromIdempotencyKey(Home, "grid"), 3, 1, 1, 1, [failed]);
        JsonElement sent = await SentAsync(new Parcel("id", "https://example.org/", default, JobStateName.Failed, new EndReport(0, null, "", null, Start, Start.AddSeconds(2), null, 0, 0, ""), 1) { Array = array });

        JsonElement data = sent.GetProperty("data"), element = data.GetProperty("notCompleted").EnumerateArray().Single();
        Assert.Equal("array.failed", sent.GetProperty("type").GetString());
        Assert.Equal("3 1 1 1 2000", string.Join(' ', new[] { "count", "completed", "failed", "cancelled", "durationMs" }.Select(name => data.GetProperty(name).GetInt32())));
        Assert.Equal(("2 lr=0.1 gpu-box 3", "AM0323"), ($"{element.GetProperty("number")} {element.GetProperty("parameters")} {element.GetProperty("deviceName")} {element.GetProperty("exitCode")}", element.GetProperty("problem").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_workflow_is_told_with_its_name_its_counts_and_the_steps_that_failed()
    {
        var id = WorkflowId.FromIdempotencyKey(Home, "flow");
        var job = JobId.FromIdempotencyKey(Home, "train");
        var told = new ToldWorkflow(id, "nightly", 4, 1, 2, [new ToldStep("train", false, job, "gpu-box", 3, new Problem("AM0323", "ended")), new ToldStep("tidy", true, default, null, null, null)]);
        JsonElement sent = await SentAsync(
            new Parcel("id", "https://example.org/", default, JobStateName.Paused, new EndReport(0, null, "", null, Start, Start.AddSeconds(2), new Problem("AM0323", "step train failed: ended"), 0, 0, ""), 1) { Workflow = told, Key = "mine" });

        JsonElement data = sent.GetProperty("data");
        Assert.Equal("workflow.paused", sent.GetProperty("type").GetString());
        Assert.Equal($"id {id} nightly mine paused", string.Join(' ', new[] { "delivery", "workflow", "name", "key", "state" }.Select(name => data.GetProperty(name).GetString())));
        Assert.Equal("4 1 2 2000", string.Join(' ', new[] { "count", "completed", "failed", "durationMs" }.Select(name => data.GetProperty(name).GetInt32())));
        Assert.Equal("step train failed: ended", data.GetProperty("problem").GetProperty("message").GetString());
        Assert.Equal(
            [$"train False {job} gpu-box 3 AM0323", "tidy True    "],
            data.GetProperty("failedSteps").EnumerateArray().Select(step => $"{step.GetProperty("name")} {step.GetProperty("allowed")} {step.GetProperty("job")} {step.GetProperty("deviceName")} {step.GetProperty("exitCode")} {(step.GetProperty("problem") is { ValueKind: JsonValueKind.Object } problem ? problem.GetProperty("code") : "")}"));
    }

    // Nothing is sent unsigned because the file has gone.
    [Fact]
    public async Task Without_the_secrets_that_are_set_nothing_is_sent_and_it_is_tried_again()
    {
        using var notifier = new Notifier((_, _) => throw new InvalidOperationException("sent"), (_, _, _, _, _) => Task.FromResult(default(OutputEnds)), "/nowhere/secret");
        DeliveryAnswer answer = await notifier.DeliverAsync(Parcel(1, "42"), CancellationToken.None);
        Assert.Equal((DeliveryVerdict.Again, MeshErrors.NotifySecret), (answer.Verdict, answer.Problem!.Code));
        await Assert.ThrowsAsync<InvalidOperationException>(() => new Notifier((_, _) => throw new InvalidOperationException("sent"), (_, _, _, _, _) => Task.FromResult(default(OutputEnds)), "").DeliverAsync(Parcel(1, "42"), CancellationToken.None));
    }

    /// <summary>What the receiver gets of what has no output of its own.</summary>
    private static async Task<JsonElement> SentAsync(Parcel parcel)
    {
        var sent = new List<JsonElement>();
        using var notifier = new Notifier(
            (request, _) =>
            {
                sent.Add(JsonDocument.Parse(request.Body).RootElement);
                return Task.FromResult(Taken);
            },
            (_, _, _, _, _) => throw new InvalidOperationException("read"),
            "");
        await notifier.DeliverAsync(parcel, CancellationToken.None);
        return sent.Single();
    }

    private static Parcel Parcel(int number, string? text, string url = "https://example.org/")
    {
        var run = new CronRun(JobId.FromIdempotencyKey(Home, $"{number}"), Start, CronCause.Schedule, Start, JobStateName.Completed, Start);
        return new Parcel($"delivery {number}", url, run.JobId, JobStateName.Completed, new EndReport(2, Home, "here", 0, Start, Start, null, text is null ? 7 : 0, text is null ? 5 : 0, text), 1)
        {
            Scheduled = new ScheduledRun(new CronId(Home, "nightly"), run),
        };
    }
}
