using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>A node that is a beacon beside its work.</summary>
public sealed class BeaconRoleTests(ITestOutputHelper output)
{
    private const string Place = "203.0.113.10";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [SkippableFact]
    public async Task Two_devices_behind_hard_NATs_work_together_through_a_third_that_is_a_beacon_for_its_mesh_and_no_stranger_uses_it()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using var hub = new TestNode("hub") { Namespace = lab.Host("hub", Place), Listen = "0.0.0.0" };
        await using var a = new TestNode("a") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        await using var stranger = new TestNode("stranger") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        File.WriteAllText(Path.Combine(hub.Data, "agentmesh.conf"), "agentmesh { relay.offer = off, discovery.lan.enabled = off, beacon.serve { enabled = on, admit = mesh, listen = [\"0.0.0.0:14592\"] } }");
        await hub.UpAsync();
        BeaconRoleView role = (await hub.StatusAsync()).BeaconRole!;
        string beacons = $"beacons = [\"{role.Line.Replace("HOST", Place, StringComparison.Ordinal)}\"]";
        output.WriteLine(beacons);
        foreach (TestNode node in (TestNode[])[a, b, stranger])
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {beacons}, relay.offer = off, discovery.lan.enabled = off }}");
            await node.UpAsync();
        }

        await hub.PairWithAsync(a);
        await hub.PairWithAsync(b);
        foreach ((TestNode node, string home) in new[] { (a, lab.Home("a", NatKind.Symmetric())), (b, lab.Home("b", NatKind.Symmetric())) })
        {
            (await node.RunAsync("down")).Done();
            node.Namespace = home;
            await node.UpAsync();
        }

        await Eventually.HoldsAsync(async () => (await a.RunAsync("--timeout", "20s", "@b", "calc", "6*7")).Out == "42\n", "they work together", Patience);
        PeerView seen = (await a.PeersAsync()).Single(peer => peer.Name == "b");
        Assert.Equal($"relay via {Place}:14592", seen.Path);
        await Eventually.HoldsAsync(async () => (await hub.StatusAsync()).BeaconRole is { Devices: 2, Channels: > 0, BytesRelayed: > 0 }, "both are registered there, and no stranger", Patience);
        Assert.Contains("is a beacon on 0.0.0.0:14592", (await hub.RunAsync("status")).Done(), StringComparison.Ordinal);
        Assert.Null((await stranger.StatusAsync()).Beacons!.Single().SeenAt);

        // Who is put out is sent away.
        (await hub.RunAsync("forget", "b")).Done();
        await Eventually.HoldsAsync(async () => (await hub.StatusAsync()).BeaconRole!.Devices == 1, "the one that was put out is gone", Patience);
    }
}
