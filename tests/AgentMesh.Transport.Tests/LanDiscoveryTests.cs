using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Discovery;

namespace AgentMesh.Transport.Tests;

public sealed class LanDiscoveryTests
{
    private static readonly IPAddress[] OfAnInterface = [IPAddress.Parse("2001:db8::1"), IPAddress.Parse("192.0.2.7"), IPAddress.Parse("192.0.2.8"), IPAddress.Parse("fe80::1%3")];

    [Fact]
    public void An_endpoint_on_all_addresses_is_announced_at_the_first_or_link_local_one()
    {
        IPEndPoint[] bound = [new(IPAddress.Any, 4), new(IPAddress.IPv6Any, 6)];

        Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4), LanInterfaces.Pick(OfAnInterface, bound, AddressFamily.InterNetwork));
        Assert.Equal(new IPEndPoint(IPAddress.Parse("fe80::1%3"), 6), LanInterfaces.Pick(OfAnInterface, bound, AddressFamily.InterNetworkV6));
    }

    [Fact]
    public void An_endpoint_on_one_address_is_announced_at_that_and_on_no_other_interface()
    {
        IPEndPoint[] bound = [new(IPAddress.Parse("192.0.2.8"), 4)];

        Assert.Equal(bound[0], LanInterfaces.Pick(OfAnInterface, bound, AddressFamily.InterNetwork));
        Assert.Null(LanInterfaces.Pick([IPAddress.Parse("198.51.100.1")], bound, AddressFamily.InterNetwork));
        Assert.Null(LanInterfaces.Pick(OfAnInterface, bound, AddressFamily.InterNetworkV6));
    }

    [Fact]
    public void An_endpoint_on_loopback_is_announced_nowhere()
    {
        Assert.Empty(LanInterfaces.Find([new(IPAddress.Loopback, 4), new(IPAddress.IPv6Loopback, 6)]));
    }

    /// <summary>Over the interfaces of this machine: two nodes side by side hear each other by multicast loopback. Skipped where there is none but loopback.</summary>
    [SkippableFact]
    [Trait("kind", "integration")]
    public async Task Two_nodes_of_one_machine_find_each_other_and_a_third_mesh_hears_nothing()
    {
        IPEndPoint[] bound = [new(IPAddress.Any, 4001), new(IPAddress.IPv6Any, 4001)];
        Skip.If(LanInterfaces.Find(bound).Count == 0, "this machine has no interface that can multicast");
        // Another port than that of nodes in use, and a free one.
        int port = FreePort();
        await using var first = new Side(port, 4001);
        await using var second = new Side(port, 4002);
        await using var stranger = new Side(port, 4003);
        first.Discovery.Admit([second.Identity.PublicKey]);
        second.Discovery.Admit([first.Identity.PublicKey]);

        first.Discovery.Start();
        stranger.Discovery.Start();
        second.Discovery.Start();

        Assert.Equal((second.Identity.Id, 4002), await first.FirstAsync());
        Assert.Equal((first.Identity.Id, 4001), await second.FirstAsync());
        Assert.Empty(stranger.Found);
        Assert.Equal(0, stranger.Discovery.Counters.Accepted);
    }

    [SkippableFact]
    [Trait("kind", "integration")]
    public async Task Garbage_and_ten_thousand_forged_announcements_find_nothing_and_hide_nothing()
    {
        IPEndPoint[] bound = [new(IPAddress.Any, 4001)];
        Skip.If(LanInterfaces.Find(bound).Count == 0, "this machine has no interface that can multicast over IPv4");
        LanInterface at = LanInterfaces.Find(bound)[0];
        int port = FreePort();
        await using var first = new Side(port, 4001);
        await using var late = new Side(port, 4002);
        DeviceIdentity silent = DeviceIdentity.Create(SystemEntropy.Instance);
        first.Discovery.Admit([late.Identity.PublicKey, silent.PublicKey]);
        late.Discovery.Admit([first.Identity.PublicKey]);
        first.Discovery.Start();
        while (first.Discovery.Counters.Interfaces == 0)
        {
            await Task.Delay(10);
        }

        using LanSocket attacker = LanSocket.Open(at, port);
        var random = new Random(11);
        byte[] announcement = new LanAnnouncer(silent).Announce(at.Source, 666, wantsAnswer: true, DateTimeOffset.UtcNow);
        byte[] garbage = new byte[200];
        for (int i = 0; i < 10_000; i++)
        {
            byte[] forged = [.. announcement];
            forged[random.Next(LanAnnouncement.HeadBytes, LanAnnouncement.Size)] ^= (byte)random.Next(1, 256);
            attacker.TrySend(forged);
            random.NextBytes(garbage);
            attacker.TrySend(garbage.AsSpan(0, random.Next(garbage.Length)));
        }

        LanCounters counters = first.Discovery.Counters;
        Assert.Equal(0, counters.Accepted);
        Assert.True(counters.Forged > 0 && counters.Malformed > 0, counters.ToString());
        Assert.Empty(first.Found);
        late.Discovery.Start();
        Assert.Equal((late.Identity.Id, 4002), await first.FirstAsync());
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        probe.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private sealed class Side : IAsyncDisposable
    {
        private readonly TaskCompletionSource<(DeviceId Device, int Port)> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Side(int port, int own)
        {
            var settings = new LanDiscoverySettings { Port = port };
            Discovery = new LanDiscovery(Identity, settings, [new(IPAddress.Any, own), new(IPAddress.IPv6Any, own)], SystemEntropy.Instance, TimeProvider.System);
            Discovery.Found += (device, at) =>
            {
                Found.Enqueue(device);
                _first.TrySetResult((device, at.Port));
            };
        }

        public DeviceIdentity Identity { get; } = DeviceIdentity.Create(SystemEntropy.Instance);

        public LanDiscovery Discovery { get; }

        public ConcurrentQueue<DeviceId> Found { get; } = [];

        public Task<(DeviceId Device, int Port)> FirstAsync() => _first.Task.WaitAsync(EndpointPair.Patience);

        public ValueTask DisposeAsync() => Discovery.DisposeAsync();
    }
}
