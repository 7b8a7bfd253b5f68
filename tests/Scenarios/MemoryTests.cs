using System.Diagnostics;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>
/// A device that starts again with what it has on disk, where everything that brought it together with the others is gone. It is behind a NAT that gives out another port each
/// time, so that nobody finds it at an address from before.
/// </summary>
[Collection(Alone.Name)]
public sealed class MemoryTests(ITestOutputHelper output)
{
    private const string BeaconAddress = "203.0.113.10";
    private const string BeaconName = "beacon.mesh.test";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(20);

    [SkippableFact]
    public async Task Without_names_and_then_without_the_beacon_a_device_that_was_killed_comes_back_directly_and_over_who_relayed_before()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        Skip.If(LabNames.WhyNot.Length > 0, $"names of a namespace cannot be set here: {LabNames.WhyNot}");
        using var names = new LabNames();
        string host = lab.Host("beacon", BeaconAddress);
        names.Set(lab.Internet, (BeaconName, BeaconAddress));
        await using TestBeacon beacon = await TestBeacon.StartAsync(host, BeaconName, "--https", "none");
        await using TestNode r = New("r", lab.Host("r", "203.0.113.50"), "203.0.113.50"), a = New("a", lab.Internet, "0.0.0.0"), b = New("b", lab.Internet, "0.0.0.0"), d = New("d", lab.Internet, "0.0.0.0");
        TestNode[] all = [r, a, b, d];
        foreach (TestNode node in all)
        {
            names.Set(node.Namespace!, (BeaconName, BeaconAddress));
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {beacon.Setting}, discovery.lan.enabled = off, gateway.mode = off, relay.offer = {(node == r ? "on" : "off")} }}\n");
            await node.UpAsync();
        }

        foreach (TestNode guest in all[1..])
        {
            await r.PairWithAsync(guest);
        }

        await Eventually.HoldsAsync(async () => (await a.PeersAsync()).Count == all.Length && (await d.PeersAsync()).Count == all.Length && (await b.PeersAsync()).Count == all.Length, "all have heard of all", Patience);
        foreach (TestNode node in all[1..])
        {
            Assert.Equal(0, (await node.RunAsync("down")).Code);
        }

        (a.Namespace, b.Namespace, d.Namespace) = (lab.Home("a", NatKind.Symmetric()), lab.Home("b", NatKind.AddressRestrictedCone()), lab.Home("d", NatKind.Symmetric()));
        foreach (TestNode node in all[1..])
        {
            names.Set(node.Namespace!, (BeaconName, BeaconAddress));
            await node.UpAsync();
        }

        await Eventually.HoldsAsync(async () => await PathAsync(a, "b") == "direct" && await PathAsync(a, "d") == "relay/peer via r" && await PathAsync(d, "a") == "relay/peer via r", "all are together", Patience);
        output.WriteLine((await a.RunAsync("peers")).Out);

        // Names are gone, the beacon is not.
        names.Set(a.Namespace!);
        a.KillHard();
        TimeSpan registered = await UpUntilAsync(a, async () => (await a.StatusAsync()).Beacons![0] is { Transport: "udp" }, "it is registered at the beacon, whose name nobody resolves");
        Dictionary<string, DoctorTests.Check> checks = await DoctorTests.DoctorAsync(a);
        output.WriteLine($"memory: {checks["memory"].Finding}");
        output.WriteLine($"name: {checks[$"name {BeaconName}"].Finding}");
        Assert.Equal(("warn", "AM0188"), (checks[$"name {BeaconName}"].Result, checks[$"name {BeaconName}"].Code));
        Assert.Contains($"{BeaconName} at {BeaconAddress}", checks["memory"].Finding, StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => await PathAsync(a, "b") == "direct" && await PathAsync(a, "d") == "relay/peer via r" && await PathAsync(d, "a") == "relay/peer via r", "all are together again", Patience);

        // Neither names nor the beacon.
        await beacon.KillAsync();
        a.KillHard();
        TimeSpan direct = TimeSpan.Zero, relayed = TimeSpan.Zero;
        var watch = Stopwatch.StartNew();
        await UpUntilAsync(
            a,
            async () =>
            {
                direct = direct == TimeSpan.Zero && await PathAsync(a, "b") == "direct" ? watch.Elapsed : direct;
                relayed = relayed == TimeSpan.Zero && await PathAsync(a, "d") == "relay/peer via r" ? watch.Elapsed : relayed;
                return direct > TimeSpan.Zero && relayed > TimeSpan.Zero;
            },
            "it is back at both");
        Assert.Equal("3\n", (await a.RunAsync("--timeout", "60s", "@b", "calc", "1+2")).Out);
        Assert.Equal("42\n", (await a.RunAsync("--timeout", "60s", "@d", "calc", "6*7")).Out);
        output.WriteLine((await a.RunAsync("peers")).Out);
        checks = await DoctorTests.DoctorAsync(a);
        output.WriteLine($"memory: {checks["memory"].Finding}");
        Assert.Contains("1 device that relayed to ", checks["memory"].Finding, StringComparison.Ordinal);
        output.WriteLine($"from the start of the process: at the beacon without names {registered.TotalSeconds:0.0} s; without the beacon, direct {direct.TotalSeconds:0.0} s, over r {relayed.TotalSeconds:0.0} s");
        Assert.True(registered < Bar && direct < Bar && relayed < Bar, $"each within {Bar.TotalSeconds} s");

        // And a file that somebody has written into.
        Assert.Equal(0, (await a.RunAsync("down")).Code);
        string devices = Path.Combine(a.Data, "devices.json");
        File.WriteAllText(devices, File.ReadAllText(devices).TrimEnd()[..^1] + ", \"nobody\": 7 }");
        File.WriteAllText(Path.Combine(a.Data, "names.json"), "no json");
        await a.UpAsync();
        checks = await DoctorTests.DoctorAsync(a);
        Assert.Equal(("warn", "AM0187"), (checks["memory"].Result, checks["memory"].Code));
        Assert.StartsWith("1 entry of devices.json and 1 entry of names.json could not be read", checks["memory"].Finding, StringComparison.Ordinal);
        Assert.EndsWith("names.json.damaged", checks["memory"].Next, StringComparison.Ordinal);
        Assert.Equal("no json", File.ReadAllText(Path.Combine(a.Data, "names.json.damaged")));
        await Eventually.HoldsAsync(async () => await PathAsync(a, "b") == "direct", "what could be read is used", Patience);

        static TestNode New(string name, string networkNamespace, string listen) => new(name) { Namespace = networkNamespace, Listen = listen };
    }

    private static async Task<TimeSpan> UpUntilAsync(TestNode node, Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        await node.UpAsync();
        await Eventually.HoldsAsync(condition, what, Patience);
        return watch.Elapsed;
    }

    private static async Task<string?> PathAsync(TestNode node, string name) => (await node.PeersAsync()).SingleOrDefault(peer => peer.Name == name && peer.State == "connected")?.Path;
}
