using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>coturn as STUN server and as TURN server, with NATs of the kernel between.</summary>
public sealed class TurnTests(ITestOutputHelper output)
{
    private const string ServerAddress = "203.0.113.20";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task A_device_behind_a_NAT_learns_its_outside_address_of_coturn()
    {
        Skip.If(TestTurnServer.WhyNot.Length > 0, TestTurnServer.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestTurnServer server = await TestTurnServer.StartAsync(lab.Host("turn", ServerAddress), ServerAddress, "--stun-only");
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.PortRestrictedCone()), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(a.Data, "agentmesh.conf"), $"agentmesh {{ stun.servers = [\"{ServerAddress}\"], discovery.lan.enabled = off, gateway.mode = off }}");
        await a.UpAsync();

        await Eventually.HoldsAsync(async () => (await a.StatusAsync()).Stun is [{ SeenAt: not null }], "coturn has answered", Patience);

        Assert.Equal($"203.0.113.1:{a.Port}", (await a.StatusAsync()).Stun![0].SeenAt);
        Assert.Contains($"ok    stun            1 of 1 see this device at 203.0.113.1:{a.Port}", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Two_devices_behind_random_NATs_meet_and_work_together_over_coturn_alone()
    {
        Skip.If(TestTurnServer.WhyNot.Length > 0, TestTurnServer.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestTurnServer server = await TestTurnServer.StartAsync(lab.Host("turn", ServerAddress), ServerAddress);
        await using TestNode a = await AtHomeAsync(lab, "a", server);
        await using TestNode b = await AtHomeAsync(lab, "b", server);

        await a.PairWithAsync(b);
        await Eventually.HoldsAsync(async () => (await a.RunAsync("--timeout", "30s", "@b", "calc", "1+2")).Out == "3\n", "a gives work to b", Patience);
        Assert.Equal("42\n", (await b.RunAsync("--timeout", "60s", "@a", "calc", "6*7")).Out);
        Assert.Equal(0, (await b.RunAsync("grant", "a", "run")).Code);
        Ran ran = await a.RunAsync("--timeout", "120s", "run", "@b", "--", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x");
        Assert.True(ran.Code == 0, ran.Error);
        Assert.Equal(3_000_000, ran.Out.Length);

        foreach (TestNode node in new[] { a, b })
        {
            Assert.Equal($"relay/turn via {ServerAddress}", (await Meeting.PeerOf(node)).Path);
            output.WriteLine((await node.RunAsync("peers")).ToString());
            output.WriteLine((await node.RunAsync("status")).Out);
        }

        Assert.Contains($"ok    turn {ServerAddress}:{TestTurnServer.Port}", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);
        Assert.True((await a.StatusAsync()).Turn![0].Channels > 0, "much was said, so there is a channel");
        Assert.DoesNotContain(TestTurnServer.Password, (await a.RunAsync("config")).Out, StringComparison.Ordinal);

        // Another address of the one: it finds the other where it still is.
        Assert.Equal(0, (await b.RunAsync("down")).Code);
        await b.UpAsync();
        await Eventually.HoldsAsync(async () => (await b.RunAsync("--timeout", "30s", "@a", "calc", "6*7")).Out == "42\n", "a device that was away is back", Patience);
    }

    [SkippableFact]
    public async Task A_wrong_password_is_told_and_nothing_else_is_disturbed()
    {
        Skip.If(TestTurnServer.WhyNot.Length > 0, TestTurnServer.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestTurnServer server = await TestTurnServer.StartAsync(lab.Host("turn", ServerAddress), ServerAddress);
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.Symmetric()), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(a.Data, "agentmesh.conf"), $"agentmesh {{ {server.Setting(Path.Combine(a.Data, "turn"), "wrong-horse")}, discovery.lan.enabled = off, gateway.mode = off }}");
        await a.UpAsync();

        await Eventually.HoldsAsync(async () => (await a.StatusAsync()).Turn is [{ Problem.Code: "AM0169" }], "the refusal is known", Patience);

        Ran doctor = await a.RunAsync("doctor");
        output.WriteLine(doctor.Out);
        Assert.Contains("AM0169", doctor.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-horse", doctor.Out + await File.ReadAllTextAsync(Path.Combine(a.Data, "node.log")), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("turn:ADDRESS?transport=tcp", TestTurnServer.Port, "/tcp")]
    [InlineData("turns:ADDRESS", TestTurnServer.SecurePort, "/tls")]
    public async Task Two_devices_whose_network_lets_out_a_stream_alone_work_together_over_coturn_and_have_addresses_again_after_its_restart(string url, int port, string shown)
    {
        Skip.If(TestTurnServer.WhyNot.Length > 0, TestTurnServer.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestTurnServer server = await TestTurnServer.StartAsync(lab.Host("turn", ServerAddress), ServerAddress);
        string authorities = port == TestTurnServer.SecurePort ? $", ca-file = \"{server.Certificate}\"" : "";
        await using TestNode a = await AtHomeAsync(lab, "a", NatKind.OnlyTcpTo(ServerAddress, port), node => server.Setting(Path.Combine(node.Data, "turn"), url, authorities));
        await using TestNode b = await AtHomeAsync(lab, "b", NatKind.OnlyTcpTo(ServerAddress, port), node => server.Setting(Path.Combine(node.Data, "turn"), url, authorities));

        await a.PairWithAsync(b);
        (await b.RunAsync("grant", "a", "run")).Done();
        await WorkAsync();
        Assert.Contains($"ok    turn {ServerAddress}:{port}{shown}", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);
        Assert.True((await a.StatusAsync()).Turn![0].Channels > 0, "much was said, so there is a channel");

        // Every connection to it is cut, and every allocation forgotten: both get another address by themselves. It introduces nobody, so they do not meet by it.
        await server.KillAsync();
        foreach (TestNode node in new[] { a, b })
        {
            await Eventually.HoldsAsync(async () => (await node.StatusAsync()).Turn is [{ Relayed: null, Problem.Code: "AM0168" }], "its end is known", Patience);
        }

        await server.UpAsync();
        foreach (TestNode node in new[] { a, b })
        {
            await Eventually.HoldsAsync(async () => (await node.StatusAsync()).Turn is [{ Relayed: not null }], "there is an address again", Patience);
        }

        async Task WorkAsync()
        {
            await Eventually.HoldsAsync(async () => (await a.RunAsync("--timeout", "30s", "@b", "calc", "1+2")).Out == "3\n", "a gives work to b", Patience);
            Ran ran = await a.RunAsync("--timeout", "120s", "run", "@b", "--", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x");
            Assert.True(ran.Code == 0, ran.Error);
            Assert.Equal(3_000_000, ran.Out.Length);
            Assert.Equal($"relay/turn via {ServerAddress}", (await Meeting.PeerOf(a)).Path);
            output.WriteLine((await a.RunAsync("status")).Out);
        }
    }

    [SkippableFact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused_before_a_word_is_said()
    {
        Skip.If(TestTurnServer.WhyNot.Length > 0, TestTurnServer.WhyNot);
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestTurnServer server = await TestTurnServer.StartAsync(lab.Host("turn", ServerAddress), ServerAddress);
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.Symmetric()), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(a.Data, "agentmesh.conf"), $"agentmesh {{ {server.Setting(Path.Combine(a.Data, "turn"), "turns:ADDRESS", "")}, discovery.lan.enabled = off, gateway.mode = off }}");
        await a.UpAsync();

        await Eventually.HoldsAsync(async () => (await a.StatusAsync()).Turn is [{ Problem.Code: "AM0168" }], "the refusal is known", Patience);

        string message = (await a.StatusAsync()).Turn![0].Problem!.Message;
        output.WriteLine(message);
        Assert.Contains("certificate is not trusted: 'CN=coturn of a test'", message, StringComparison.Ordinal);
    }

    private static Task<TestNode> AtHomeAsync(NatLab lab, string name, TestTurnServer server) => AtHomeAsync(lab, name, NatKind.Symmetric(), node => server.Setting(Path.Combine(node.Data, "turn")));

    private static async Task<TestNode> AtHomeAsync(NatLab lab, string name, string box, Func<TestNode, string> setting)
    {
        var node = new TestNode(name) { Namespace = lab.Home(name, box), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {setting(node)}, discovery.lan.enabled = off, gateway.mode = off }}");
        await node.UpAsync();
        await Eventually.HoldsAsync(async () => (await node.StatusAsync()).Turn is [{ Relayed: not null }], "coturn has given an address", Patience);
        return node;
    }
}
