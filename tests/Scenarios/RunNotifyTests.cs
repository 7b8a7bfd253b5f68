using System.Runtime.Versioning;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>The receiver of a job's end, and a node that is killed before it knows that it was told.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RunNotifyTests
{
    [Fact]
    public async Task The_end_of_a_job_is_told_again_after_a_kill_until_it_was_taken_and_then_no_more()
    {
        await using var receiver = new HookReceiver();
        await using TestNode node = new("one");
        await receiver.LetSendAsync(node);
        await node.UpAsync();
        string id = (await node.RunAsync("run", "--detach", "--key", "mine", "--notify", receiver.Url, "--notify-on", "failure", "--", "sh", "-c", "echo half of it; echo disk full >&2; exit 3")).Done().Trim();

        Hook first = await receiver.NextAsync();
        Assert.Contains("notify    ", (await node.RunAsync("job", "show", id)).Done(), StringComparison.Ordinal);
        node.KillHard();
        await node.UpAsync();
        Hook second = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (second.Id, second.Body));
        Assert.Equal(second.SignatureBy(HookReceiver.Secret), second.Signature);
        second.Answer(503);
        await Eventually.HoldsAsync(async () => (await node.JobAsync(id)).Delivery is { State: "due", Status: 503, Attempts: 1 }, "the node knows that it was not taken");
        Assert.Contains("told      not yet", (await node.RunAsync("job", "show", id)).Done(), StringComparison.Ordinal);

        // The wait for the next attempt goes on over a further kill.
        node.KillHard();
        await node.UpAsync();
        Hook third = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (third.Id, third.Body));
        third.Answer(204);
        await Eventually.HoldsAsync(async () => (await node.JobAsync(id)).Delivery is { State: "delivered", Status: 204, Attempts: 2 } told && told.Id == first.Id, "the node knows that it was taken");

        JsonElement root = JsonDocument.Parse(third.Body).RootElement, data = root.GetProperty("data");
        Assert.Equal(("job.failed", "mine", "failed", 3, "half of it\n", "disk full\n"), (root.GetProperty("type").GetString(), Text(data, "key"), Text(data, "state"), data.GetProperty("exitCode").GetInt32(), Text(data, "stdout"), Text(data, "stderr")));
        Assert.Contains("told", (await node.RunAsync("job", "show", "--history", id)).Done(), StringComparison.Ordinal);

        // What was told is told no more; the next thing that comes is of the next job. One that ended as it should is not told at all.
        node.KillHard();
        await node.UpAsync();
        Assert.Equal("fine\n", (await node.RunAsync("run", "--notify", receiver.Url, "--notify-on", "failure", "--", "echo", "fine")).Done());
        (await node.RunAsync("--notify", receiver.Url, "--detach", "@one", "calc", "6*7")).Done();
        Hook fourth = await receiver.NextAsync();
        fourth.Answer(200);
        Assert.NotEqual(first.Id, fourth.Id);
        Assert.Equal("42", Text(JsonDocument.Parse(fourth.Body).RootElement.GetProperty("data"), "stdout"));

        // An array is told once, also when the node goes before it was.
        string array = (await node.RunAsync("run", "--detach", "--array", "1-3", "--attempts", "1", "--notify", receiver.Url, "--", "sh", "-c", "exit {}")).Done().Trim();
        Hook all = await receiver.NextAsync();
        node.KillHard();
        await node.UpAsync();
        Hook again = await receiver.NextAsync();
        Assert.Equal((all.Id, all.Body), (again.Id, again.Body));
        again.Answer(200);
        root = JsonDocument.Parse(again.Body).RootElement;
        data = root.GetProperty("data");
        Assert.Equal(("array.failed", 3, 3, 0), (root.GetProperty("type").GetString(), data.GetProperty("count").GetInt32(), data.GetProperty("failed").GetInt32(), data.GetProperty("completed").GetInt32()));
        Assert.Equal([1, 2, 3], data.GetProperty("notCompleted").EnumerateArray().Select(element => element.GetProperty("exitCode").GetInt32()));
        await Eventually.HoldsAsync(async () => (await node.RunAsync("job", "show", array)).Out.Contains("told      delivered", StringComparison.Ordinal), "the node knows that it was taken");
    }

    [Fact]
    public async Task A_workflow_that_stops_and_that_ends_is_told_again_after_a_kill_until_it_was_taken()
    {
        await using var receiver = new HookReceiver();
        await using TestNode node = new("one");
        await receiver.LetSendAsync(node);
        await node.UpAsync();
        string file = Path.Combine(node.Data, "nightly.yaml");
        await File.WriteAllTextAsync(file, $$$"""
            notify: {{{receiver.Url}}}
            notify-on: success
            vars: { code: "3" }
            steps:
              - { name: prepare, run: echo 41 }
              - { name: train, needs: [prepare], run: "exit {{vars.code}}", attempts: 1 }
            """);
        string id = (await node.RunAsync("workflow", "run", "--detach", "--key", "mine", "--notify", receiver.Url, file)).Done().Trim();

        // It stopped: killed before the node knows that it was told, and again between two attempts.
        Hook first = await receiver.NextAsync();
        node.KillHard();
        await node.UpAsync();
        Hook second = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (second.Id, second.Body));
        Assert.Equal(second.SignatureBy(HookReceiver.Secret), second.Signature);
        second.Answer(503);
        await Eventually.HoldsAsync(async () => (await WorkflowAsync(node, id)).Delivery is { State: "due", Status: 503, Attempts: 1 } due && due.Id == first.Id, "the node knows that it was not taken");
        Assert.Contains("told      not yet", (await node.RunAsync("workflow", "show", id)).Out, StringComparison.Ordinal);
        node.KillHard();
        await node.UpAsync();
        Hook third = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (third.Id, third.Body));
        third.Answer(204);
        await Eventually.HoldsAsync(async () => (await WorkflowAsync(node, id)).Delivery is { State: "delivered", Status: 204, Attempts: 2 }, "the node knows that it was taken");
        JsonElement root = JsonDocument.Parse(third.Body).RootElement, data = root.GetProperty("data"), step = data.GetProperty("failedSteps").EnumerateArray().Single();
        Assert.Equal(("workflow.paused", "nightly", "mine", "paused", 2, 1), (root.GetProperty("type").GetString(), Text(data, "name"), Text(data, "key"), Text(data, "state"), data.GetProperty("count").GetInt32(), data.GetProperty("completed").GetInt32()));
        Assert.Equal(("train", "one", 3), (Text(step, "name"), Text(step, "deviceName"), step.GetProperty("exitCode").GetInt32()));

        // A person lets it go on, and its end is another one; so is that of a fork, which tells whom its origin tells.
        (await node.RunAsync("workflow", "skip", id, "train")).Done();
        Hook end = await receiver.NextAsync();
        node.KillHard();
        await node.UpAsync();
        Hook again = await receiver.NextAsync();
        Assert.Equal((end.Id, end.Body), (again.Id, again.Body));
        Assert.NotEqual(first.Id, again.Id);
        again.Answer(200);
        Assert.Equal("workflow.completed", JsonDocument.Parse(again.Body).RootElement.GetProperty("type").GetString());
        await Eventually.HoldsAsync(async () => (await WorkflowAsync(node, id)) is { State: "completed", Delivery: { State: "delivered", Attempts: 1 } }, "the node knows that it was taken");
        node.KillHard();
        await node.UpAsync();
        (await node.RunAsync("workflow", "fork", "--detach", id, "--from-step", "train", "--set", "code=0")).Done();
        Hook fork = await receiver.NextAsync();
        fork.Answer(200);
        Assert.DoesNotContain(fork.Id, new[] { first.Id, end.Id });
        Assert.Equal("workflow.completed", JsonDocument.Parse(fork.Body).RootElement.GetProperty("type").GetString());

        // The file alone: of success only.
        Assert.Equal(1, (await node.RunAsync("workflow", "run", file)).Code);
        Assert.Contains($"notify    {receiver.Url}, on success", (await node.RunAsync("workflow", "run", "--set", "code=0", file)).Done(), StringComparison.Ordinal);
        Hook fine = await receiver.NextAsync();
        fine.Answer(200);
        Assert.Equal("workflow.completed", JsonDocument.Parse(fine.Body).RootElement.GetProperty("type").GetString());
    }

    [Fact]
    public async Task A_receiver_that_the_owner_did_not_name_is_refused_and_nothing_runs()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        (await node.RunAsync("run", "--notify", "http://127.0.0.1:9/", "--", "true")).Refused("AM0633", "127.0.0.1:9", "agentmesh.cron.notify.allow");
        (await node.RunAsync("run", "--notify", "ftp://example.org/", "--", "true")).Refused("AM0632");
        (await node.RunAsync("run", "--notify-on", "failure", "--", "true")).Refused("--notify");
        (await node.RunAsync("run", "--notify", "http://127.0.0.1:9/", "--array", "1-3", "--", "true")).Refused("AM0633");
        string file = Path.Combine(node.Data, "flow.yaml");
        await File.WriteAllTextAsync(file, "notify: http://127.0.0.1:9/\nsteps: [{ name: a, run: 'true' }]\n");
        (await node.RunAsync("workflow", "run", file)).Refused("AM0633", "flow.yaml:1:9", "agentmesh.cron.notify.allow");
        (await node.RunAsync("workflow", "run", "--notify-on", "failure", file)).Refused("--notify");
        (await node.RunAsync("run", "-i", "--notify", "https://example.org/", "--", "cat")).Refused("AM0639");
        Assert.Empty(JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!.Jobs);
    }

    private static async Task<WorkflowView> WorkflowAsync(TestNode node, string id) => JsonSerializer.Deserialize((await node.RunAsync("--json", "workflow", "show", id)).Done(), ControlJson.Default.WorkflowView)!;

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
