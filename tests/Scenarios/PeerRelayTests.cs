using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices behind NATs that let none in, a third one on the internet, and no beacon.</summary>
public sealed class PeerRelayTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task A_device_that_both_can_reach_relays_for_them_and_stops_when_it_is_told_to()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using var c = new TestNode("c") { Namespace = lab.Host("c", "203.0.113.50"), Listen = "0.0.0.0" };
        await using var a = new TestNode("a") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        foreach (TestNode node in new[] { c, a, b })
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), "agentmesh { discovery.lan.enabled = off }\n");
            await node.UpAsync();
        }

        await c.PairWithAsync(a);
        await c.PairWithAsync(b);
        await Eventually.HoldsAsync(async () => await KnowsAsync(a, "b") && await KnowsAsync(b, "a"), "they have heard of each other", TimeSpan.FromMinutes(2));
        foreach (TestNode node in new[] { a, b })
        {
            Assert.Equal(0, (await node.RunAsync("down")).Code);
        }

        a.Namespace = lab.Home("a", NatKind.Symmetric());
        b.Namespace = lab.Home("b", NatKind.Symmetric());
        await a.UpAsync();
        await b.UpAsync();

        await Eventually.HoldsAsync(async () => (await PathAsync(a, "b"))?.StartsWith("relay/peer via c", StringComparison.Ordinal) == true, () => "c relays between them", TimeSpan.FromMinutes(2));
        Ran sum = await a.RunAsync("--timeout", "60s", "@b", "calc", "1+2");
        Assert.True(sum.Out == "3\n", sum.ToString());
        Assert.Equal("42\n", (await b.RunAsync("--timeout", "60s", "@a", "calc", "6*7")).Out);
        output.WriteLine((await a.RunAsync("peers")).ToString());
        Assert.Equal("direct", await PathAsync(a, "c"));

        Assert.Equal(0, (await c.RunAsync("down")).Code);
        File.AppendAllText(Path.Combine(c.Data, "agentmesh.conf"), "agentmesh.relay.offer = off\n");
        await c.UpAsync();
        await Eventually.HoldsAsync(async () => await PathAsync(a, "c") == "direct", "a has found c again", TimeSpan.FromMinutes(2));
        await Eventually.HoldsAsync(async () => (await a.PeersAsync()).Single(peer => peer.Name == "b").State != "connected", "nobody relays any more", TimeSpan.FromMinutes(2));
    }

    /// <summary>It opens all connections, the others none: nobody has ever reached it. That no NAT is before it they tell it by where they see it.</summary>
    [SkippableFact]
    public async Task A_relay_that_opened_all_connections_itself_relays_at_once()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using var c = new TestNode("c") { Namespace = lab.Host("c", "203.0.113.50"), Listen = "0.0.0.0" };
        await using var a = new TestNode("a") { Namespace = lab.Host("a", "203.0.113.51"), Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Host("b", "203.0.113.52"), Listen = "0.0.0.0" };
        Assert.Equal("", Shell.RunBoth("ip", "-n", a.Namespace!, "route", "add", "blackhole", "203.0.113.52"));
        Assert.Equal("", Shell.RunBoth("ip", "-n", b.Namespace!, "route", "add", "blackhole", "203.0.113.51"));
        foreach ((TestNode node, string dials) in new[] { (c, "auto-connect = on"), (a, "auto-connect = off, auto-connect-devices { b = on }"), (b, "auto-connect = off") })
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ discovery.lan.enabled = off, link {{ {dials} }} }}\n");
            await node.UpAsync();
        }

        // It joins them, so that they have never come to it.
        await a.PairWithAsync(c);
        await b.PairWithAsync(c);
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await PathAsync(a, "b"))?.StartsWith("relay/peer via c", StringComparison.Ordinal) == true, () => "c relays between them", TimeSpan.FromSeconds(60));
        output.WriteLine($"relayed after {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal("3\n", (await a.RunAsync("--timeout", "60s", "@b", "calc", "1+2")).Done());
    }

    private static async Task<bool> KnowsAsync(TestNode node, string name) => (await node.PeersAsync()).Any(peer => peer.Name == name && peer.State == "connected");

    private static async Task<string?> PathAsync(TestNode node, string name) => (await node.PeersAsync()).SingleOrDefault(peer => peer.Name == name && peer.State == "connected")?.Path;
}
