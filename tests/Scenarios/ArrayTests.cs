using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Arrays over real nodes that are killed.</summary>
public sealed class ArrayTests
{
    private const int Rows = 40;

    [Fact]
    public async Task A_map_over_two_workers_survives_the_kill_of_its_home_with_each_element_recorded_once()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode one = await StartWorkerAsync("one");
        await using TestNode two = await StartWorkerAsync("two");
        await PairAsync(home, one, two);
        string table = Path.Combine(home.Data, "grid.csv");
        File.WriteAllText(table, "lr,text\n" + string.Concat(Enumerable.Range(1, Rows).Select(row => $"0.{row},\"row, {row}\"\n")));

        string array = (await home.RunAsync(
            "map", "--params", table, "--on", "@label:gpu", "--max-parallel", "4", "--detach", "--", "sh", "-c", "sleep 0.1; echo \"$1 $2\"; test {#} != 7", "-", "{lr}", "{text}")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, array)).Array.Completed >= Rows / 4, "some are done");
        home.KillHard();
        await home.UpAsync();
        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, array)).Array.EndedAt is not null, "the array is over", TimeSpan.FromMinutes(2));

        ArrayReport report = await ArrayAsync(home, array);
        Assert.Equal(("failed", Rows, Rows - 1, 1, 0), (report.Array.State, report.Array.Count, report.Array.Completed, report.Array.Failed, report.Array.Waiting));
        Assert.Equal(Enumerable.Range(1, Rows), report.Elements.Select(element => element.Number));
        Assert.Equal(Rows, report.Elements.Select(element => element.Job).Distinct().Count());
        Assert.Equal(["one", "two"], report.Elements.Select(element => element.Device).Distinct().Order());
        Assert.All(report.Elements, element => Assert.Equal(element.Number == 7 ? ("failed", 1) : ("completed", 0), (element.State, element.ExitCode!.Value)));
        Assert.Equal("0.12 row, 12\n", (await home.RunAsync("job", "logs", $"{array}/12")).Done());
        Assert.Contains($"{Rows - 1}/{Rows}", (await home.RunAsync("job", "list")).Done(), StringComparison.Ordinal);
        JobPage page = JsonSerializer.Deserialize((await home.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!;
        Assert.Equal((1, (string?)null), (page.Arrays.Count, page.Next));
        Assert.DoesNotContain(page.Jobs, job => job.Command.Contains("sleep", StringComparison.Ordinal));
        Ran failed = await home.RunAsync("job", "show", array, "--failed");
        Assert.Contains("lr=0.7 text='row, 7'", failed.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("row, 8", failed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_array_waits_for_a_device_with_its_label_moves_away_from_one_that_is_gone_and_can_be_cancelled()
    {
        var home = new TestNode("home");
        await using TestNode ended = home;
        File.WriteAllText(Path.Combine(home.Data, "agentmesh.conf"), "agentmesh.jobs { heartbeat-timeout = 6s, away-timeout = 6s }");
        await home.UpAsync();
        await using TestNode one = await StartWorkerAsync("one");
        await using TestNode two = await StartWorkerAsync("two");
        await PairAsync(home, one, two);

        // One element runs on each; the node of one of them goes for good.
        string array = (await home.RunAsync("run", "--array", "1-2%2", "--detach", "@label:gpu", "--", "sh", "-c", "test -e " + Path.Combine(home.Data, "go") + " || { echo waits; sleep 120; }; echo done {}")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, array)).Elements.Count(element => element.State == "running" && element.Job is not null) == 2, "both run");
        IReadOnlyList<ArrayElementView> elements = (await ArrayAsync(home, array)).Elements;
        string job = elements.Single(element => element.Device == "one").Job!;

        // Whichever looks for the file afterwards finds it, and ends.
        foreach (ArrayElementView element in elements)
        {
            await Eventually.HoldsAsync(async () => (await home.RunAsync("job", "logs", element.Job!)).Out.Contains("waits", StringComparison.Ordinal), "its program has looked for the file, in vain");
        }

        File.WriteAllText(Path.Combine(home.Data, "go"), "");
        one.KillHard();
        await Eventually.HoldsAsync(
            async () => (await ArrayAsync(home, array)).Elements.Count(element => element.Device == "two") == 2, "the element of the lost device is on the other", TimeSpan.FromMinutes(2));

        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, array)).Elements.Any(element => element is { State: "completed", Device: "two" } && element.Job != job), "it is done there, by another job");

        (await home.RunAsync("job", "cancel", array)).Done();
        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, array)).Array.State == "cancelled", "it is cancelled");

        // Nobody is there: it waits, says for whom, and goes on by itself.
        two.KillHard();
        await Eventually.HoldsAsync(async () => JsonSerializer.Deserialize((await home.RunAsync("--json", "peers")).Done(), ControlJson.Default.IReadOnlyListPeerView)!.Count(peer => peer.State == "connected") == 1, "both are known as gone");
        (await home.RunAsync("@label:gpu", "calc", "1")).Refused("AM0352", "--queue");
        (await home.RunAsync("@any:gpu", "calc", "1")).Refused("AM0352", "--array 1 @any:gpu");
        string waiting = (await home.RunAsync("run", "--array", "1", "--detach", "@any(gpu)", "--", "echo", "{}")).Done().Trim();
        ArrayView view = (await ArrayAsync(home, waiting)).Array;
        Assert.Equal("waiting", view.State);
        Assert.Contains("one is offline", view.Reason, StringComparison.Ordinal);
        await two.UpAsync();
        await Eventually.HoldsAsync(async () => (await ArrayAsync(home, waiting)).Array.State == "completed", "it is done when a device is back");
        Assert.Equal("1\n", (await home.RunAsync("job", "logs", $"{waiting}/1")).Done());
    }

    [Fact]
    public async Task Wrong_input_is_refused_with_code_place_and_next_step()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string table = Path.Combine(node.Data, "grid.csv");
        string[] map = ["map", "--params", table];
        File.WriteAllText(table, "lr,seed\n0.1,1\n0.2\n");
        (await node.RunAsync([.. map, "--", "echo", "{lr}"])).Refused("AM0354", $"{table}, line 3, column 1", "2 names");
        File.WriteAllText(table, "lr,seed\n0.1,\"1\n");
        (await node.RunAsync([.. map, "--", "echo", "{lr}"])).Refused("AM0354", "line 2, column 5", "not closed");
        File.WriteAllBytes(table, [(byte)'a', (byte)'\n', 0xFF, (byte)'\n']);
        (await node.RunAsync([.. map, "--", "echo", "{a}"])).Refused("AM0354", "UTF-8");
        File.WriteAllText(table, "lr,seed\n0.1,1\n");
        (await node.RunAsync([.. map, "--", "echo", "{sed}"])).Refused("AM0355", "position 1", "did you mean {seed}?");
        (await node.RunAsync([.. map, "--on", "@label:gpu", "--", "echo"])).Refused("AM0351", "agentmesh.labels");
        (await node.RunAsync([.. map, "--on", "@any(", "--", "echo"])).Refused("AM0350", "position 6");
        (await node.RunAsync(map)).Refused("AM0222");
        (await node.RunAsync("map", "--params", table + "x", "--", "echo")).Refused("AM0354", "cannot be read");
        (await node.RunAsync("run", "--array", "5-3", "--", "echo")).Refused("AM0353", "position 3");
        (await node.RunAsync("run", "--array", "0-100000", "--", "echo")).Refused("AM0358", "100000");
        (await node.RunAsync("run", "--array", "0-9", "--max-parallel", "0", "--", "echo")).Refused("AM0208");
        (await node.RunAsync("job", "show", "a-zzzz")).Refused("AM0356");
        Assert.Empty(JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "list")).Done(), ControlJson.Default.JobPage)!.Arrays);

        Ran good = await node.RunAsync([.. map, "--line", "echo {lr}-{seed}"]);
        Assert.True(good.Code == 0, good.ToString());
        Assert.Contains("0.1-1", good.Out, StringComparison.Ordinal);
        Assert.Contains("1 completed of 1", good.Out, StringComparison.Ordinal);
        Ran typed = await node.RunWithInputAsync($"map --params {table} --line 'echo at the prompt {{lr}}'\nrun --array 7 -- sh -c 'echo {{}}'\njobs\n", "repl");
        Assert.True(typed.Code == 0, typed.ToString());
        Assert.Contains("at the prompt 0.1", typed.Out, StringComparison.Ordinal);
        Assert.Contains("1 completed of 1", typed.Out, StringComparison.Ordinal);
        Assert.Equal(1, (await node.RunAsync("run", "--array", "1-3", "--", "sh", "-c", "exit {}")).Code);
        (await node.RunAsync("job", "logs", good.Out.Split('\n').Single(line => line.StartsWith("a-", StringComparison.Ordinal)).Split(' ')[0] + "/9")).Refused("AM0357", "no element 9");
    }

    private static async Task<TestNode> StartWorkerAsync(string name)
    {
        var node = new TestNode(name);
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), "agentmesh.labels = [\"gpu\"]");
        await node.UpAsync();
        return node;
    }

    private static async Task PairAsync(TestNode home, params TestNode[] workers)
    {
        foreach (TestNode worker in workers)
        {
            await home.PairWithAsync(worker);
            (await worker.RunAsync("grant", "home", "run")).Done();
        }

        await Eventually.HoldsAsync(async () => (await home.RunAsync("--json", "@label:gpu", "calc", "1")).Out.Split("\"type\":\"ended\"").Length - 1 == workers.Length, "all workers answer");
    }

    private static async Task<ArrayReport> ArrayAsync(TestNode node, string id) =>
        JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "show", id)).Done(), ControlJson.Default.ArrayReport)!;
}
