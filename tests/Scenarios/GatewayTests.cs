using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>A device at home behind a router that opens ports when it is asked, and another on the internet.</summary>
public sealed class GatewayTests(ITestOutputHelper output)
{
    private const string Internet = "11.22.33";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [SkippableTheory]
    [InlineData("pcp")]
    [InlineData("nat-pmp")]
    [InlineData("upnp")]
    public async Task A_port_is_mapped_and_used_from_outside_and_renewed_and_made_again_and_gone_at_the_end(string protocol)
    {
        Skip.If(TestRouter.WhyNot.Length > 0, TestRouter.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot, Internet);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        string home = lab.Home("a", TestRouter.Rules);
        await using var router = new TestRouter(home, "192.168.1");
        await router.StartAsync();
        await using var a = new TestNode("a") { Namespace = home, Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Host("b", Internet + ".77"), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(a.Data, "agentmesh.conf"), $"agentmesh {{ gateway {{ protocols = [{protocol}], lifetime = 10s, check = 1s }}, discovery.lan.enabled = off }}");
        await a.UpAsync();

        // Made.
        GatewayView gateway = await MappedAsync(a);
        Assert.Equal((protocol, $"{Internet}.1:{a.Port}"), (gateway.Protocol, gateway.External));
        Assert.True(router.Maps(a.Port), router.Mapped);
        Assert.Contains($"ok    gateway         192.168.1.1 passes on {Internet}.1:{a.Port} ({protocol}, ", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);

        // Used: nothing else leads from the internet to the home.
        await b.UpAsync();
        await a.PairWithAsync(b);
        await Eventually.HoldsAsync(async () => (await b.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out == "42\n", "they work together", Patience);
        PeerView seen = (await b.PeersAsync()).Single(peer => !peer.IsLocal);
        Assert.Equal(("direct", $"{Internet}.1:{a.Port}"), (seen.Path, seen.Address));

        // Renewed: what is left of the lifetime grows.
        double least = double.MaxValue;
        await Eventually.HoldsAsync(
            async () =>
            {
                double left = (await MappedAsync(a)).LifetimeLeftMs!.Value;
                bool isRenewed = left > least + 1_000;
                least = Math.Min(least, left);
                return isRenewed;
            },
            "the mapping is renewed",
            Patience);

        // Made again.
        await router.LosePowerAsync();
        Assert.False(router.Maps(a.Port));
        await router.StartAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(router.Maps(a.Port)), "the port is mapped again", Patience);

        // Gone.
        Assert.Equal(0, (await a.RunAsync("down")).Code);
        await Eventually.HoldsAsync(() => Task.FromResult(!router.Maps(a.Port)), () => $"the mapping is gone: {router.Mapped}", Patience);
        output.WriteLine(protocol);
    }

    [SkippableFact]
    public async Task Of_all_protocols_the_first_that_answers_is_kept_and_a_killed_node_comes_back_to_its_port()
    {
        Skip.If(TestRouter.WhyNot.Length > 0, TestRouter.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot, Internet);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        string home = lab.Home("a", TestRouter.Rules);
        await using var router = new TestRouter(home, "192.168.1");
        await router.StartAsync();
        await using var a = new TestNode("a") { Namespace = home, Listen = "0.0.0.0" };
        await a.UpAsync();
        GatewayView gateway = await MappedAsync(a);
        output.WriteLine($"{gateway.Protocol}: {gateway.External}");

        a.KillHard();
        Assert.True(router.Maps(a.Port), "a killed node leaves its mapping");
        await a.UpAsync();

        Assert.Equal(gateway.External, (await MappedAsync(a)).External);
    }

    [SkippableFact]
    public async Task A_router_that_maps_nothing_is_no_fault_and_the_reasons_are_told()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.PortRestrictedCone()), Listen = "0.0.0.0" };
        await a.UpAsync();
        await Eventually.HoldsAsync(async () => (await a.StatusAsync()).Gateway is { State: "none" }, "all protocols were tried", Patience);

        Assert.Equal(["nat-pmp", "pcp", "upnp"], (await a.StatusAsync()).Gateway!.Failures.Select(failure => failure.Protocol).Order());
        Assert.Contains("ok    gateway         AM0164: 192.168.1.1 maps no ports: ", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);
    }

    private static async Task<GatewayView> MappedAsync(TestNode node)
    {
        GatewayView? gateway = null;
        await Eventually.HoldsAsync(
            async () => (gateway = (await node.StatusAsync()).Gateway) is { State: "mapped" }, () => $"a port is mapped: {gateway?.State} {gateway?.Problem?.Message}", Patience);
        return gateway!;
    }
}
