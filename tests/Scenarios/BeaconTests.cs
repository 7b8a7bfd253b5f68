using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices in homes behind NATs of the kernel, and a beacon on the internet between.</summary>
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

    private static Task<PeerView> PeerOf(TestNode node) => Meeting.PeerOf(node);
}
