using System.Diagnostics;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Discovery;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Devices over a DHT of nodes that nobody here wrote.</summary>
public sealed class DhtTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task What_a_device_says_another_one_finds_through_nodes_of_bittorrent_dht_which_read_it_as_a_valid_item()
    {
        using TestDhtNodes? nodes = TestDhtNodes.TryStart(count: 12, out string whyNot);
        Skip.If(nodes is null, whyNot);
        int port = await nodes.PortAsync();
        DeviceIdentity one = DeviceIdentity.Create(SystemEntropy.Instance), two = DeviceIdentity.Create(SystemEntropy.Instance), stranger = DeviceIdentity.Create(SystemEntropy.Instance);
        await using DhtDiscovery publisher = Device(one, port), reader = Device(two, port), other = Device(stranger, port);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        IPEndPoint[] places = [IPEndPoint.Parse("192.0.2.7:14590"), IPEndPoint.Parse("[2001:db8::7]:14590")];

        int stored = await publisher.PublishAsync(two.PublicKey, places, limit.Token);
        output.WriteLine($"{stored} nodes keep it");
        Assert.InRange(stored, 1, 8);

        var watch = Stopwatch.StartNew();
        Assert.Equal(places, await reader.FindAsync(one.PublicKey, limit.Token));
        output.WriteLine($"found after {watch.Elapsed.TotalMilliseconds:0} ms, {reader.Nodes} nodes known");
        Assert.Empty(await other.FindAsync(one.PublicKey, limit.Token));

        string read = await nodes.GetAsync(publisher.PlaceOf(two.PublicKey)!);
        output.WriteLine(read);
        Assert.StartsWith("valid seq=", read, StringComparison.Ordinal);
        Assert.Contains(" bytes=322", read, StringComparison.Ordinal);

        // A newer word takes the place of the older one at the nodes.
        await publisher.PublishAsync(two.PublicKey, places[..1], limit.Token);
        Assert.Equal(places[..1], await reader.FindAsync(one.PublicKey, limit.Token));
    }

    [SkippableFact]
    public async Task Two_devices_that_moved_while_they_were_off_find_each_other_and_again_when_the_nodes_of_the_settings_are_gone()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network cannot be made here: {whyNot}");
        const string place = "203.0.113.200";
        using TestDhtNodes? nodes = TestDhtNodes.TryStart(count: 12, out whyNot, lab.Host("dht", place), place);
        Skip.If(nodes is null, whyNot);
        int port = await nodes.PortAsync();
        await using var a = new TestNode("a") { Namespace = lab.Host("a", "203.0.113.31"), Listen = "0.0.0.0" };
        await using var b = new TestNode("b") { Namespace = lab.Host("b", "203.0.113.32"), Listen = "0.0.0.0" };
        await UpAsync($"{place}:{port}");
        await a.PairWithAsync(b);
        await Eventually.HoldsAsync(async () => (await a.StatusAsync()).Discovery!.Dht is { Told: 1 } && (await b.StatusAsync()).Discovery!.Dht is { Told: 1 }, "each has told the other", Patience);
        Assert.Contains("1 device of 1 can find this one", (await a.RunAsync("status")).Done(), StringComparison.Ordinal);
        Assert.Contains("ok    dht             1 device of 1 can find this one", (await a.RunAsync("doctor")).Out, StringComparison.Ordinal);

        await MoveAsync(41);
        await UpAsync($"{place}:{port}");
        await WorkTogetherAsync();

        // Nobody is there any more where the settings say; both have nodes in mind.
        Assert.True(File.ReadAllLines(Path.Combine(a.Data, "dht-nodes")).Length > 1);
        await MoveAsync(51);
        await UpAsync("203.0.113.199:6881");
        await WorkTogetherAsync();

        async Task UpAsync(string bootstrap)
        {
            foreach (TestNode node in (TestNode[])[a, b])
            {
                File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.discovery {{ lan.enabled = off, dht {{ enabled = on, bootstrap = [\"{bootstrap}\"] }} }}");
                await node.UpAsync();
            }
        }

        async Task MoveAsync(int number)
        {
            foreach (TestNode node in (TestNode[])[a, b])
            {
                (await node.RunAsync("down")).Done();
                Shell.RunBoth("ip", "-n", node.Namespace!, "addr", "flush", "dev", "wan");
                Assert.Empty(Shell.RunBoth("ip", "-n", node.Namespace!, "addr", "add", $"203.0.113.{number++}/24", "dev", "wan"));
            }
        }

        async Task WorkTogetherAsync()
        {
            var watch = Stopwatch.StartNew();
            await Eventually.HoldsAsync(async () => (await b.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out == "42\n", "they work together", Patience);
            output.WriteLine($"together after {watch.Elapsed.TotalSeconds:0.0} s");
        }
    }

    private static DhtDiscovery Device(DeviceIdentity identity, int port) =>
        new(identity, [new DnsEndPoint("127.0.0.1", port)], [], [IPAddress.Loopback], SystemEntropy.Instance, TimeProvider.System);
}
