using System.Text;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Beacon.Tests;

/// <summary>Three devices on loopback, of which one relays for the others.</summary>
public sealed class PeerRelayTests : IAsyncLifetime
{
    private static readonly BeaconAddress Nowhere = new("127.0.0.1", 9, DeviceIdentity.Create(SystemEntropy.Instance).PublicKey) { WebSocket = null };

    private readonly TestDevice _a = new(Nowhere);
    private readonly TestDevice _b = new(Nowhere);
    private readonly TestDevice _c = new(Nowhere);
    private readonly CancellationTokenSource _over = new();
    private bool _offers = true;
    private PeerRelay _relay = null!;

    public Task InitializeAsync()
    {
        _a.Admit(_b);
        _a.Admit(_c);
        _b.Admit(_a);
        _b.Admit(_c);
        _c.Admit(_a);
        _c.Admit(_b);
        _relay = new PeerRelay(_c.Endpoint, DeviceIdentity.Create(SystemEntropy.Instance), new BeaconLimits(), _ => _offers, TimeProvider.System);
        _relay.Start();
        _ = ServeAsync();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _over.CancelAsync();
        await _relay.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _c.DisposeAsync();
    }

    [Fact]
    public async Task Two_that_have_named_each_other_there_reach_each_other_through_the_third()
    {
        Task ofA = await RegisterAsync(_a, _b), ofB = await RegisterAsync(_b, _a);
        Task<MeshConnection> accepting = _b.AcceptAsync();
        MeshConnection toB = await _a.ConnectAsync(_b), toA = await accepting;
        Assert.Equal(("relay/peer", "c", "relay/peer via c"), (toB.Path.Kind, toB.Path.Via, toB.Path.Description));
        await WebSocketTests.CarryAsync(toB, toA, 200_000);
        Assert.True(_relay.Counters.BytesRelayed > 200_000);
        Assert.False(ofA.IsCompleted || ofB.IsCompleted);
    }

    [Fact]
    public async Task One_that_does_not_relay_says_so_at_once()
    {
        _offers = false;
        Task session = await RegisterAsync(_a, _b);
        await session.WaitAsync(TestDevice.Patience);
        Assert.Equal((0, 0), (_a.Endpoint.Relays.Count, _relay.Counters.Devices));
    }

    private async Task<Task> RegisterAsync(TestDevice device, TestDevice wanted)
    {
        var connection = (MeshConnection)await device.Endpoint.ConnectAsync(_c.Key, _c.Endpoint.LocalAddresses, _over.Token);
        IMeshStream stream = await connection.OpenStreamAsync(StreamPriority.Control, _over.Token);
        await stream.WriteAsync((byte[])[5, .. Encoding.ASCII.GetBytes(PeerRelay.Service)], _over.Token);
        var options = new RelaySessionOptions("c", IsPeer: true, () => [wanted.Id], () => [], () => ValueTask.CompletedTask, TimeSpan.FromSeconds(1));
        return new RelaySession(device.Endpoint, connection, stream, options, TimeProvider.System).RunAsync(_over.Token);
    }

    /// <summary>What the hub of a node does.</summary>
    private async Task ServeAsync()
    {
        while (await _c.Endpoint.AcceptAsync(_over.Token) is { } connection)
        {
            _ = Task.Run(async () =>
            {
                IMeshStream stream = (await connection.AcceptStreamAsync(_over.Token))!;
                byte[] header = new byte[6];
                for (int at = 0; at < header.Length;)
                {
                    at += await stream.ReadAsync(header.AsMemory(at), _over.Token);
                }

                await _relay.ServeAsync(connection, stream, _over.Token);
            });
        }
    }
}
