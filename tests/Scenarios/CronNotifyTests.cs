using System.Runtime.Versioning;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>The receiver of a schedule's results, and a node that is killed before it knows that it was told.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class CronNotifyTests
{
    [Fact]
    public async Task A_run_is_told_again_after_a_kill_until_it_was_taken_and_then_no_more()
    {
        await using var receiver = new HookReceiver();
        await using TestNode node = new("one");
        await receiver.LetSendAsync(node);
        await node.UpAsync();
        (await node.RunAsync("cron", "add", "backup", "@yearly", "--notify", receiver.Url, "--notify-on", "failure", "--attempts", "1", "--", "sh", "-c", "echo half of it; echo disk full >&2; exit 3")).Done();
        (await node.RunAsync("cron", "run", "backup")).Done();

        // The run has ended, and its receiver does not answer: then the node goes.
        Hook first = await receiver.NextAsync();
        node.KillHard();
        await node.UpAsync();
        Hook second = await receiver.NextAsync();
        Assert.Equal((first.Id, first.Body), (second.Id, second.Body));
        second.Answer(204);

        JsonElement data = JsonDocument.Parse(second.Body).RootElement.GetProperty("data");
        Assert.Equal(("backup", "failed", 3, "half of it\n", "disk full\n"), (Text(data, "schedule"), Text(data, "state"), data.GetProperty("exitCode").GetInt32(), Text(data, "stdout"), Text(data, "stderr")));
        foreach (Hook hook in new[] { first, second })
        {
            Assert.Equal(hook.SignatureBy(HookReceiver.Secret), hook.Signature);
        }

        await Eventually.HoldsAsync(async () => (await CronAsync(node)).LastDelivery is { State: "delivered", Status: 204, Attempts: 1 }, "the node knows that it was taken");
        CronView view = await CronAsync(node);
        Assert.Equal((receiver.Url, "failure", second.Id, "delivered"), (view.Notify, view.NotifyOn, view.LastDelivery!.Id, view.Runs[0].Delivery!.State));
        Assert.Contains($"told      {view.Runs[0].ShortJob} delivered", (await node.RunAsync("cron", "show", "backup")).Done(), StringComparison.Ordinal);
        Assert.Contains("delivered (204)", (await node.RunAsync("cron", "runs", "backup")).Done(), StringComparison.Ordinal);

        // After a further kill the next thing that is told is the next run.
        node.KillHard();
        await node.UpAsync();
        (await node.RunAsync("cron", "run", "backup")).Done();
        Hook third = await receiver.NextAsync();
        Assert.NotEqual(second.Id, third.Id);
        third.Answer(410);
        await Eventually.HoldsAsync(async () => (await CronAsync(node)).LastDelivery is { State: "given-up", Status: 410, Problem.Code: "AM0634" }, "the node gave up");

        string log = File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(node.Data, "logs", "cron"))));
        Assert.Contains($"told {view.Runs[0].ShortJob} status 204 attempt 1", log, StringComparison.Ordinal);
        Assert.Contains("status 410 attempt 1 AM0634", log, StringComparison.Ordinal);
        string everything = string.Concat(Directory.EnumerateFiles(node.Data, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != HookReceiver.SecretFile && file.EndsWith(".log", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.DoesNotContain(HookReceiver.Secret, everything + (await node.RunAsync("config")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_the_owner_did_not_name_is_refused_when_it_is_added()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--notify", "http://127.0.0.1:9/", "--line", "echo")).Refused("AM0633", "127.0.0.1:9", "agentmesh.cron.notify.allow");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--notify", "http://169.254.169.254/latest/", "--line", "echo")).Refused("AM0633");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--notify", "http://example.org/", "--line", "echo")).Refused("AM0633", "https://");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--notify", "ftp://example.org/", "--line", "echo")).Refused("AM0632");
        (await node.RunAsync("cron", "add", "bad", "@daily", "--notify-on", "failure", "--line", "echo")).Refused("--notify");
        Assert.Equal("[]", (await node.RunAsync("--json", "cron", "list")).Done().Trim());
    }

    private static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();

    private static async Task<CronView> CronAsync(TestNode node) =>
        JsonSerializer.Deserialize((await node.RunAsync("--json", "cron", "show", "backup")).Done(), ControlJson.Default.CronView)!;
}
