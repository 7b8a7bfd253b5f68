using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>The same as <see cref="BeaconTests"/>, where a bar is held, much is sent, or the path in use is looked at from one moment to the next.</summary>
[Collection(Alone.Name)]
public sealed class BeaconPathTests(ITestOutputHelper output)
{
    private const string BeaconAddress = "203.0.113.10";

    [SkippableFact]
    public async Task Two_devices_behind_NATs_that_know_nothing_but_a_code_and_a_beacon_pair_and_work_together()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestBeacon beacon = await TestBeacon.StartAsync(lab.Host("beacon", BeaconAddress), BeaconAddress);
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.PortRestrictedCone()), Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Home("b", NatKind.Symmetric()), Listen = "0.0.0.0" };
        foreach (TestNode node in new[] { a, b })
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {beacon.Setting} }}");
            await node.UpAsync();
            await Eventually.HoldsAsync(async () => (await node.RunAsync("status")).Out.Contains(": registered", StringComparison.Ordinal), "the beacon has taken it in");
        }

        Ran invited = await a.RunAsync("invite");
        Assert.Contains($"with the beacon {BeaconAddress}:14592", invited.Error, StringComparison.Ordinal);
        string code = invited.Out.Split('\n')[0].Split(' ')[^1];
        string wrong = code[..^1] + (code[^1] == '0' ? '1' : '0');
        Ran refused = await b.RunAsync("join", wrong);
        Assert.True(refused.Code == 255 && refused.Error.Contains("AM0136", StringComparison.Ordinal), refused.ToString());
        Assert.Contains("AM0137", (await b.RunAsync("join", code)).Error, StringComparison.Ordinal);
        string listed = (await a.RunAsync("invitations")).Out;
        Assert.Contains($"1, last from the beacon {BeaconAddress}:14592", listed, StringComparison.Ordinal);

        code = (await a.RunAsync("invite", "--code")).Out.Trim();
        var watch = Stopwatch.StartNew();
        Ran joined = await b.RunAsync("join", code);
        TimeSpan took = watch.Elapsed;
        output.WriteLine($"paired after {took.TotalSeconds:0.0} s, the start of the command line included");
        Assert.True(joined.Code == 0, joined.ToString());
        Assert.InRange(took.TotalSeconds, 0, 5);
        await Eventually.HoldsAsync(async () => (await a.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out == "3\n", "a gives work to b");
        await Eventually.HoldsAsync(async () => (await b.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out == "42\n", "b gives work to a");
        output.WriteLine($"both work for each other after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [SkippableFact]
    public async Task What_is_more_than_a_beacon_relays_arrives_whole_and_the_sender_is_told()
    {
        const int bytes = 20_000_000;
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.Symmetric(), NatKind.Symmetric(), "--rate", "4");
        await Eventually.HoldsAsync(async () => (await meeting.B.RunAsync("grant", "a", "run")).Code == 0, "programs are allowed");
        var watch = Stopwatch.StartNew();
        Ran ran = await meeting.A.RunAsync("--timeout", "120s", "run", "@b", "--", "sh", "-c", $"head -c {bytes} /dev/zero | tr '\\0' x");
        output.WriteLine($"{bytes / watch.Elapsed.TotalSeconds / 1e6:0.0} MB/s over the relay");
        Assert.True(ran.Code == 0, ran.Error);
        Assert.Equal(bytes, ran.Out.Length);
        string status = (await meeting.B.RunAsync("status")).Out;
        output.WriteLine(status.Split('\n').Single(line => line.StartsWith("beacon", StringComparison.Ordinal)));
        Assert.Contains("above its allowance", status, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_pair_goes_back_to_the_relay_when_its_direct_path_dies_and_finds_it_again()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone());
        await meeting.IsDirectAsync();
        await Eventually.HoldsAsync(
            async () => (await PeerOf(meeting.A)).Paths is [{ Role: "in-use", Kind: "direct", DatagramBytes: > 0, InUseMs: > 0 }, ..] paths && paths.Any(path => path is { Role: "backup", Kind: "relay", Via: not null }),
            "the relay stands by",
            TimeSpan.FromMinutes(1));
        output.WriteLine((await meeting.A.RunAsync("peers", "--paths")).Out);
        string pinged = (await meeting.A.RunAsync("ping", "b", "-c", "1", "--paths")).Done();
        Assert.Matches(@"(?m)^b 1: [0-9.]+ ms, \S+ direct$", pinged);
        Assert.Matches(@"(?m)^b 1: [0-9.]+ ms, \S+ relay via \S+, backup$", pinged);
        Assert.Contains("paths       1 direct, 0 relayed; beside", (await meeting.A.RunAsync("status")).Out, StringComparison.Ordinal);

        lab.Block(meeting.A.Namespace!, "203.0.113.2");
        var watch = Stopwatch.StartNew();
        Ran sum = await meeting.A.RunAsync("--timeout", "30s", "@b", "calc", "6*7");
        Assert.True(sum.Out == "42\n", sum.ToString());
        output.WriteLine($"an answer {watch.Elapsed.TotalSeconds:0.0} s after the direct path died");
        PeerView peer = await PeerOf(meeting.A);
        Assert.StartsWith("relay via", peer.Path, StringComparison.Ordinal);
        Assert.True(peer.Paths is [{ Kind: "relay", InUseMs: >= 0 }, ..] && peer.Paths.Any(path => path is { Role: "failed", Kind: "direct", Failures: > 0, InUseMs: null }), (await meeting.A.RunAsync("--json", "peers")).Out);

        lab.Block(meeting.A.Namespace!, null);
        watch.Restart();
        await meeting.IsDirectAsync();
        output.WriteLine($"direct again {watch.Elapsed.TotalSeconds:0.0} s after it could be");
    }

    private static Task<PeerView> PeerOf(TestNode node) => Meeting.PeerOf(node);
}
