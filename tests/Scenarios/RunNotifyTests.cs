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
    public async Task A_receiver_that_the_owner_did_not_name_is_refused_and_nothing_runs()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        (await node.RunAsync("run", "--notify", "http://127.0.0.1:9/", "--", "true")).Refused("AM0633", "127.0.0.1:9", "agentmesh.cron.notify.allow");
        (await node.RunAsync("run", "--notify", "ftp://example.org/", "--", "true")).Refused("AM0632");
        (await node.RunAsync("run", "--notify-on", "failure", "--", "true")).Refused("--notify");
        (await node.RunAsync("run", "--notify", "http://127.0.0.1:9/", "--array", "1-3", "--", "true")).Refused("AM0633");
        (await node.RunAsync("run", "-i", "--notify", "https://example.org/", "--", "cat")).Refused("AM0639");
        Assert.Empty(JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!.Jobs);
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();
}
