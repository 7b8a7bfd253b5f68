using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Transport.Names;

namespace AgentMesh.Beacon.Tests;

/// <summary>A beacon on loopback that is known by a name.</summary>
public sealed class RememberedBeaconTests : IAsyncLifetime
{
    private const string Name = "beacon.mesh.test";

    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.77");

    private readonly TestBeacon _beacon = new(web: TestBeacon.WithWebSockets);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _beacon.DisposeAsync();

    [Fact]
    public Task A_beacon_whose_name_is_not_resolved_is_found_where_it_answered() =>
        IsFoundAsync(_beacon.Place with { Host = Name, WebSocket = null }, _ => throw new SocketException((int)SocketError.HostNotFound), IPAddress.Loopback);

    [Fact]
    public Task A_beacon_whose_name_a_resolver_gives_another_address_is_found_where_it_answered() =>
        IsFoundAsync(_beacon.Place with { Host = Name, WebSocket = null }, _ => [Elsewhere], IPAddress.Loopback);

    [Fact]
    public Task Its_WebSocket_is_found_where_it_answered() =>
        IsFoundAsync(_beacon.ByTls with { Host = Name, WebSocket = new Uri($"wss://{Name}:{_beacon.Server.TlsAddresses[0].Port}/") }, _ => throw new SocketException((int)SocketError.HostNotFound), IPAddress.Loopback);

    [Fact]
    public async Task Only_where_its_key_was_proven_is_remembered()
    {
        var memory = new Memory([]);
        await using var device = new TestDevice(_beacon.Place with { Host = Name, WebSocket = null }, names: Lookup(memory, _ => [Elsewhere, IPAddress.Loopback]));
        device.Client.Start();
        await Wait.UntilAsync(() => device.Client.IsRegistered && !memory.Answers.IsEmpty, "it is registered");

        Assert.All(memory.Answers, answer => Assert.Equal((Name, IPAddress.Loopback), answer));
    }

    private static async Task IsFoundAsync(BeaconAddress place, Func<string, IPAddress[]> resolve, params IPAddress[] remembered)
    {
        var memory = new Memory(remembered);
        await using var device = new TestDevice(place, new BeaconClientSettings { Proxy = BeaconProxy.None, ConnectTimeout = TimeSpan.FromSeconds(1) }, Lookup(memory, resolve));
        device.Client.Start();

        await Wait.UntilAsync(() => device.Client.IsRegistered && !memory.Answers.IsEmpty, "it is registered");
        Assert.All(memory.Answers, answer => Assert.Equal((Name, IPAddress.Loopback), answer));
    }

    private static NameLookup Lookup(Memory memory, Func<string, IPAddress[]> resolve) => new(memory, async (host, _) =>
    {
        await Task.Yield();
        return resolve(host);
    }, TimeProvider.System);

    private sealed class Memory(IReadOnlyList<IPAddress> remembered) : INameMemory
    {
        public ConcurrentQueue<(string Host, IPAddress Address)> Answers { get; } = [];

        public IReadOnlyList<IPAddress> Of(string host) => remembered;

        public void Answered(string host, IPAddress address) => Answers.Enqueue((host, address));

        public void Asked(string host, bool isResolved)
        {
        }
    }
}
