using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Jobs that begin after others, at a node that is killed meanwhile.</summary>
public sealed class DependencyTests
{
    [Fact]
    public async Task A_chain_goes_on_over_a_kill_and_what_cannot_begin_says_why()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string go = Path.Combine(node.Data, "go");
        string first = (await node.RunAsync("run", "--detach", "--", "sh", "-c", $"while test ! -e {go}; do sleep 0.1; done; echo first")).Done().Trim();
        string second = (await node.RunAsync("run", "--detach", "--after", $"ok:{first}", "--", "echo", "second")).Done().Trim();
        string third = (await node.RunAsync("run", "--detach", "--after", $"ok:{second}", "--after", $"any:{first}", "--", "echo", "third")).Done().Trim();
        string never = (await node.RunAsync("run", "--detach", "--after", $"fail:{first}", "--", "echo", "never")).Done().Trim();
        JobView waiting = await node.JobAsync(third);
        Assert.Equal("queued", waiting.State);
        Assert.Contains($"waits for ok:{second}", waiting.Reason, StringComparison.Ordinal);

        node.KillHard();
        await node.UpAsync();
        File.WriteAllText(go, "");
        await Eventually.HoldsAsync(async () => (await node.JobAsync(third)).State == "completed", "the chain is done");
        Assert.Equal("third\n", (await node.RunAsync("job", "logs", third)).Out);
        JobView cancelled = await node.JobAsync(never);
        Assert.Equal(("cancelled", "AM0360", 0), (cancelled.State, cancelled.Problem!.Code, cancelled.Attempt));

        Ran wrong = await node.RunAsync("run", "--after", $"after:{first}", "--", "true");
        Assert.True(wrong.Code == 255 && wrong.Error.Contains("AM0359", StringComparison.Ordinal) && wrong.Error.Contains("position 1", StringComparison.Ordinal), wrong.ToString());
        Ran unknown = await node.RunAsync("run", "--after", "ok:zzzzzzz", "--", "true");
        Assert.True(unknown.Code == 255 && unknown.Error.Contains("AM0307", StringComparison.Ordinal), unknown.ToString());
    }
}
