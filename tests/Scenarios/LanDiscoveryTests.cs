using System.Diagnostics;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices on a cable without internet, of which each knows only where the other was.</summary>
public sealed class LanDiscoveryTests(ITestOutputHelper output)
{
    private const string Off = "discovery.lan.enabled = off";

    [SkippableFact]
    public Task Two_devices_that_both_moved_while_they_were_off_find_each_other() => MeetAsync("0.0.0.0", "10.213.0.77", "10.213.0.88", "10.213.0.");

    [SkippableFact]
    public Task Two_devices_without_any_IPv4_address_find_each_other_by_link_local_addresses() => MeetAsync("0.0.0.0 ::", null, null, "[fe80:");

    [SkippableFact]
    public async Task Two_running_devices_that_both_move_at_once_find_each_other()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left"), right = NodeIn(cable.Right, "right");
        await PairAsync(left, right);
        cable.Pull();
        cable.MoveBoth("10.213.0.77", "10.213.0.88");
        cable.Plug();
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await left.RunAsync("--timeout", "5s", "@right", "calc", "6*7")).Out == "42\n", "they work together again");
        output.WriteLine($"together again after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [SkippableFact]
    public async Task Without_discovery_they_do_not()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", settings: Off), right = NodeIn(cable.Right, "right", settings: Off);
        await MoveWhileOffAsync(cable, left, right, "10.213.0.77", "10.213.0.88");

        Ran sum = await left.RunAsync("--timeout", "8s", "@right", "calc", "6*7");

        Assert.Equal(255, sum.Code);
    }

    /// <summary>Linux lets a socket join twenty groups.</summary>
    [SkippableFact]
    public Task A_device_with_forty_more_interfaces_is_found() => MeetAsync("0.0.0.0 ::", "10.213.0.77", "10.213.0.88", "", pairsMore: 20);

    private async Task MeetAsync(string listen, string? leftMovesTo, string? rightMovesTo, string at, int pairsMore = 0)
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using TestNode left = NodeIn(cable.Left, "left", listen), right = NodeIn(cable.Right, "right", listen);
        cable.CrowdLeft(pairsMore);
        var watch = Stopwatch.StartNew();
        await MoveWhileOffAsync(cable, left, right, leftMovesTo, rightMovesTo);
        output.WriteLine($"paired, stopped, moved and started after {watch.Elapsed.TotalSeconds:0.0} s");
        watch.Restart();
        await Eventually.HoldsAsync(async () => (await left.RunAsync("@right", "calc", "6*7")).Out == "42\n", "they work together again");
        output.WriteLine($"linked and asked after another {watch.Elapsed.TotalSeconds:0.0} s");

        Assert.Equal("42\n", (await right.RunAsync("--timeout", "20s", "@left", "calc", "6*7")).Out);
        Assert.Contains(at, (await left.RunAsync("peers")).Out.Split('\n').Single(line => line.Contains("right", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private static async Task MoveWhileOffAsync(Cable cable, TestNode left, TestNode right, string? leftMovesTo, string? rightMovesTo)
    {
        await PairAsync(left, right);
        foreach (TestNode node in new[] { left, right })
        {
            Ran down = await node.RunAsync("down");
            Assert.True(down.Code == 0, down.ToString());
        }

        cable.MoveBoth(leftMovesTo, rightMovesTo);
        await left.UpAsync();
        await right.UpAsync();
    }

    private static async Task PairAsync(TestNode left, TestNode right)
    {
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        await Eventually.HoldsAsync(async () => (await left.RunAsync("@right", "calc", "6*7")).Out == "42\n", "they work together");
    }

    private static TestNode NodeIn(string networkNamespace, string name, string listen = "0.0.0.0", string settings = "")
    {
        var node = new TestNode(name) { Namespace = networkNamespace, Listen = listen };
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {settings} }}");
        return node;
    }
}
