using System.Diagnostics;
using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Discovery;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Devices over a DHT of nodes that nobody here wrote.</summary>
[Collection("processes")]
public sealed class DhtTests(ITestOutputHelper output)
{
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

    private static DhtDiscovery Device(DeviceIdentity identity, int port) =>
        new(identity, [new DnsEndPoint("127.0.0.1", port)], IPAddress.Loopback, SystemEntropy.Instance, TimeProvider.System);
}
