using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices in homes behind NATs of the kernel, and a beacon on the internet between.</summary>
[Collection(Alone.Name)]
public sealed class BeaconTests(ITestOutputHelper output)
{
    private const string BeaconAddress = "203.0.113.10";

    [SkippableFact]
    public async Task A_device_behind_a_NAT_joins_one_behind_another_by_a_link_and_keeps_its_beacon()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using TestBeacon beacon = await TestBeacon.StartAsync(lab.Host("beacon", BeaconAddress), BeaconAddress);
        await using var a = new TestNode("a") { Namespace = lab.Home("a", NatKind.Symmetric()), Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Home("b", NatKind.Symmetric()), Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(a.Data, "agentmesh.conf"), $"agentmesh {{ {beacon.Setting} }}");
        await a.UpAsync();
        await b.UpAsync();

        var watch = Stopwatch.StartNew();
        await a.PairWithAsync(b);
        output.WriteLine($"paired after {watch.Elapsed.TotalSeconds:0.0} s");
        await Eventually.HoldsAsync(async () => (await a.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out == "3\n", "they work together");
        output.WriteLine($"an answer after {watch.Elapsed.TotalSeconds:0.0} s");

        Assert.Equal(0, (await b.RunAsync("down")).Code);
        await b.UpAsync();
        Assert.Equal("42\n", (await b.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out);
        Assert.Contains($"{BeaconAddress}:14592: registered, seen at 203.0.113.2:", (await b.RunAsync("status")).Out, StringComparison.Ordinal);
    }

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
    public async Task A_relayed_pair_is_back_when_its_beacon_was_killed_and_started_again()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.Symmetric(), NatKind.Symmetric());
        Assert.Equal("3\n", (await meeting.A.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out);

        await meeting.Beacon.KillAsync();
        await Task.Delay(3_000);
        await meeting.Beacon.UpAsync();
        var watch = Stopwatch.StartNew();
        Ran sum = await meeting.A.RunAsync("--timeout", "60s", "@b", "calc", "6*7");

        Assert.True(sum.Out == "42\n", sum.ToString());
        output.WriteLine($"an answer {watch.Elapsed.TotalSeconds:0.0} s after the beacon was back");
    }

    [SkippableFact]
    public async Task What_passes_a_beacon_is_ciphertext()
    {
        Skip.IfNot(Shell.Has("tcpdump"), "tcpdump is not installed");
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.Symmetric(), NatKind.Symmetric());
        string file = Path.Combine(meeting.A.Data, "packets");
        using Process tcpdump = Process.Start(new ProcessStartInfo(
            "ip", ["netns", "exec", meeting.Beacon.Namespace, "tcpdump", "-i", "wan", "-Z", "root", "--immediate-mode", "-U", "-s", "0", "-w", file, "udp"]) { RedirectStandardError = true })!;
        while (await tcpdump.StandardError.ReadLineAsync() is { } line && !line.Contains("listening on", StringComparison.Ordinal))
        {
        }

        Ran said = await meeting.A.RunAsync("--timeout", "20s", "@b", "echo", "mellon-48151623");
        Assert.True(said.Out == "mellon-48151623\n", said.ToString());
        Assert.StartsWith("relay via", (await PeerOf(meeting.A)).Path, StringComparison.Ordinal);
        Shell.Signal(tcpdump.Id, "INT");
        await tcpdump.WaitForExitAsync();

        var packets = new PacketCapture(file);
        Assert.True(packets.Bytes > 4_000, $"only {packets.Bytes} bytes were seen");
        string[] ids = [.. (await meeting.A.PeersAsync()).Select(peer => peer.Id)];
        Assert.Empty(packets.Find(["mellon-48151623", "akka-control", "agentmesh", .. ids]));
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
    public async Task A_direct_pair_is_not_disturbed_when_its_beacon_dies()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone());
        await meeting.IsDirectAsync();
        Assert.Equal(0, (await meeting.B.RunAsync("grant", "a", "run")).Code);
        Task<Ran> program = meeting.A.RunAsync("run", "@b", "--", "sh", "-c", "for i in $(seq 150); do echo line $i; sleep 0.1; done");
        await Eventually.HoldsAsync(async () => (await meeting.B.StatusAsync()).AttemptsRunning == 1, "the program runs");

        await meeting.Beacon.KillAsync();
        Ran ran = await program; // longer than a beacon's silence goes unnoticed

        Assert.Equal(string.Concat(Enumerable.Range(1, 150).Select(line => $"line {line}\n")), ran.Out);
        Assert.Equal("direct", (await PeerOf(meeting.A)).Path);
        await meeting.Beacon.UpAsync();
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
