using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>One line for several devices, with real nodes.</summary>
public sealed class SelectorTests
{
    [Fact]
    public async Task One_line_reaches_everybody_a_label_and_the_least_busy_one()
    {
        await using TestNode home = await StartAsync("home");
        await using TestNode one = await StartAsync("one", "gpu", "zone=lab");
        await using TestNode two = await StartAsync("two", "gpu");
        await home.PairWithAsync(one);
        await home.PairWithAsync(two);
        await Eventually.HoldsAsync(async () => (await PeersAsync(home)).Count(peer => peer.State == "connected" && peer.Labels.Contains("gpu")) == 2, "both labels are known");

        Ran all = await home.RunAsync("@all", "calc", "1+2");
        Assert.True(all.Code == 0, all.ToString());
        Assert.Equal(["home: 3", "one: 3", "two: 3"], Lines(all.Out));
        Assert.Contains("3 devices: 3 succeeded", all.Error, StringComparison.Ordinal);
        Assert.Equal(["one: 3", "two: 3"], Lines((await home.RunAsync("@label:gpu", "calc", "1+2")).Out));
        Assert.Equal(["home: 3", "one: 3"], Lines((await home.RunAsync("@home,@label:zone=lab", "calc", "1+2")).Out));

        // Grants are asked on each device: one of two refuses, and the whole is no success.
        Assert.Equal(0, (await one.RunAsync("grant", "home", "run")).Code);
        Ran programs = await home.RunAsync("run", "@label:gpu", "--", "sh", "-c", "printf 'a\\nb'");
        Assert.Equal(255, programs.Code);
        Assert.Equal(["one: a", "one: b"], Lines(programs.Out));
        Assert.Contains("AM0306", programs.Error, StringComparison.Ordinal);
        Assert.Contains("2 devices: 1 succeeded; 1 failed: two", programs.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await two.RunAsync("grant", "home", "run")).Code);

        // The least busy: by name the first would be taken, were it not for the elements that run there.
        Ran busy = await home.RunAsync("run", "--detach", "--array", "1-5%5", "@one", "--", "sleep", "60");
        Assert.True(busy.Code == 0, busy.ToString());
        foreach (string selector in (string[])["@any(gpu)", "@any:gpu"])
        {
            await Eventually.HoldsAsync(async () => (await home.RunAsync("--json", selector, "calc", "1")).Out.Contains("\"target\":\"two\"", StringComparison.Ordinal), "the other one is taken");
        }

        Assert.Equal(0, (await home.RunAsync("job", "cancel", busy.Out.Trim())).Code);

        two.KillHard();
        await Eventually.HoldsAsync(async () => (await PeersAsync(home)).Single(peer => peer.Name == "two").State != "connected", "home notices that two is gone");
        Ran rest = await home.RunAsync("@all", "calc", "1+2");
        Assert.True(rest.Code == 0, rest.ToString());
        Assert.Equal(["home: 3", "one: 3"], Lines(rest.Out));
        Assert.Contains("two: skipped: two is offline", rest.Error, StringComparison.Ordinal);
        Assert.Contains("3 devices: 2 succeeded; 1 skipped: two", rest.Error, StringComparison.Ordinal);

        // Everybody with the label, also who is away: its job waits and says why.
        Ran queued = await home.RunAsync("--queue", "--detach", "@label:gpu", "calc", "6*7");
        string[] jobs = Lines(queued.Out);
        Assert.Equal(2, jobs.Length);
        JobView[] views = await Task.WhenAll(jobs.Select(home.JobAsync));
        JobView waiting = views.Single(view => view.TargetName == "two");
        Assert.Equal("queued", waiting.State);
        Assert.Contains("two is offline", waiting.Reason, StringComparison.Ordinal);
        await two.UpAsync();
        await Eventually.HoldsAsync(async () => (await home.JobAsync(waiting.Id)).Result == "42", "the job is done when the device is back");
    }

    [Fact]
    public async Task What_selects_nobody_is_refused_with_code_place_and_next_step()
    {
        await using TestNode node = await StartAsync("one", "gpu", "zone=lab");

        (await node.RunAsync("@label:gpo", "calc", "1")).Refused("AM0351", "position 8", "did you mean 'gpu'?");
        (await node.RunAsync("@any(cpu)", "calc", "1")).Refused("AM0351", "known are: gpu, zone=lab");
        (await node.RunAsync("@any(gpu", "calc", "1")).Refused("AM0350", "position 9", "')' is expected");
        (await node.RunAsync("@one,,one", "calc", "1")).Refused("AM0350", "position 6");
        (await node.RunAsync("@ones", "calc", "1")).Refused("AM0302", "did you mean 'one'?");
        (await node.RunAsync("--parallel", "0", "@all", "calc", "1")).Refused("AM0208", "1 to 1000");
        Assert.Equal("3\n", (await node.RunAsync("@any(zone=lab)", "calc", "1+2")).Out);
    }

    private static async Task<TestNode> StartAsync(string name, params string[] labels)
    {
        var node = new TestNode(name);
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.labels = [{string.Join(", ", labels.Select(label => $"\"{label}\""))}]");
        await node.UpAsync();
        return node;
    }

    private static async Task<IReadOnlyList<PeerView>> PeersAsync(TestNode node) =>
        JsonSerializer.Deserialize((await node.RunAsync("--json", "peers")).Out, ControlJson.Default.IReadOnlyListPeerView)!;

    private static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}
