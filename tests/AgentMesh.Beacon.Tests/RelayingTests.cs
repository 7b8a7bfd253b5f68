using System.Net;
using System.Net.Sockets;
using AgentMesh.Beacon.Client;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport;

namespace AgentMesh.Beacon.Tests;

/// <summary>Devices, a beacon and sockets, on loopback.</summary>
public sealed class RelayingTests : IAsyncLifetime
{
    private readonly TestBeacon _beacon = new();
    private readonly TestDevice _a;
    private readonly TestDevice _b;

    public RelayingTests()
    {
        _a = new TestDevice(_beacon.Place);
        _b = new TestDevice(_beacon.Place);
    }

    public Task InitializeAsync()
    {
        _a.Client.Start();
        _b.Client.Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _beacon.DisposeAsync();
    }

    [Fact]
    public async Task A_device_learns_where_it_is_seen()
    {
        await Wait.UntilAsync(() => _a.Client.IsRegistered, "it is registered");
        Assert.Equal(_a.Endpoint.LocalAddresses[0], _a.Client.Observed);
    }

    [Fact]
    public async Task Two_devices_that_know_nothing_but_keys_exchange_a_megabyte_over_the_beacon()
    {
        (MeshConnection ofA, MeshConnection ofB) = await ConnectAsync();
        Assert.Equal((true, _beacon.Place.Name), (ofA.Path.IsRelayed, ofA.Path.Via));
        byte[] sent = new byte[1 << 20];
        new Random(1).NextBytes(sent);
        await using IMeshStream stream = await ofA.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
        Task writing = WriteAsync();
        IMeshStream arrived = (await ofB.AcceptStreamAsync(CancellationToken.None))!;
        byte[] received = new byte[sent.Length];
        using var limit = new CancellationTokenSource(TestDevice.Patience);
        for (int at = 0; at < received.Length;)
        {
            int count = await arrived.ReadAsync(received.AsMemory(at), limit.Token);
            Assert.NotEqual(0, count);
            at += count;
        }

        await writing;
        Assert.Equal(sent, received);
        Assert.True(_beacon.Server.Counters.BytesRelayed > sent.Length);

        async Task WriteAsync()
        {
            await stream.WriteAsync(sent, CancellationToken.None);
            await stream.CompleteWritesAsync();
        }
    }

    [Fact]
    public async Task A_device_that_is_admitted_by_nobody_gets_no_way_to_anybody()
    {
        _a.Admit(_b);
        await Wait.UntilAsync(() => _a.Client.IsRegistered && _b.Client.IsRegistered, "both are registered");
        await using var other = new TestDevice(_beacon.Place);
        _b.Admit(other);
        other.Admit(_b);
        other.Client.Start();
        await other.WayToAsync(_b); // by now the beacon has heard all
        Assert.Equal(0, _b.Endpoint.Relays.To(_a.Id).Count + _a.Endpoint.Relays.Count);
    }

    /// <summary>A key that does not count any more, for which another one speaks: who has it comes, but is no way to the device.</summary>
    [Fact]
    public async Task The_way_to_a_key_that_is_listed_under_an_id_of_its_own_is_no_way_to_the_device_that_it_was_of()
    {
        DeviceId aside = DeviceIdentity.Create(SystemEntropy.Instance).Id;
        _b.Listed[_a.Id] = aside;
        (_, MeshConnection ofB) = await ConnectAsync();
        Assert.Equal((aside, _a.Key), (ofB.RemoteId, ofB.RemoteKey));
        Assert.Empty(_b.Endpoint.Relays.To(_a.Id));
        Assert.Single(_b.Endpoint.Relays.To(aside));
        Assert.True(ofB.Path.IsRelayed);
    }

    [Fact]
    public async Task After_a_restart_of_the_beacon_the_same_connection_goes_on()
    {
        (MeshConnection ofA, MeshConnection ofB) = await ConnectAsync();
        IMeshStream stream = await ofA.OpenStreamAsync(StreamPriority.Ordinary, CancellationToken.None);
        await stream.WriteAsync("before"u8.ToArray(), CancellationToken.None);
        IMeshStream arrived = (await ofB.AcceptStreamAsync(CancellationToken.None))!;
        byte[] buffer = new byte[16];
        Assert.Equal(6, await arrived.ReadAsync(buffer, CancellationToken.None));

        await _beacon.RestartAsync();
        await stream.WriteAsync("after"u8.ToArray(), CancellationToken.None);

        using var limit = new CancellationTokenSource(TestDevice.Patience);
        Assert.Equal(5, await arrived.ReadAsync(buffer, limit.Token));
        Assert.False(ofA.Closed.IsCompleted || ofB.Closed.IsCompleted);
    }

    [Fact]
    public async Task Strangers_at_the_port_get_no_answer_but_that_a_channel_is_doubted()
    {
        await ConnectAsync();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var random = new Random(5);
        byte[] noise = new byte[1400];
        for (int i = 0; i < 2_000; i++)
        {
            random.NextBytes(noise);
            noise[0] = (byte)random.Next(0x80, 0x87);
            stranger.SendTo(noise, random.Next(1, noise.Length), SocketFlags.None, _beacon.Address);
        }

        Assert.Equal(0, stranger.Available);

        // A channel of another device: only that it is doubted is said, in as many bytes as the header of what came, whether it is there or not.
        byte[] stolen = new byte[RelayEnvelope.HeaderBytes + 100];
        ulong channel = (await _a.WayToAsync(_b)).Id;
        RelayEnvelope.Write(stolen, channel, new byte[100]);
        stranger.SendTo(stolen, _beacon.Address);
        await Wait.UntilAsync(() => _beacon.Server.Counters.WrongAddress == 1, "the stolen channel was noticed");
        await Wait.UntilAsync(() => stranger.Available > 0, "a notice came");
        byte[] answer = new byte[100];
        Assert.Equal(RelayEnvelope.NoticeBytes, stranger.Receive(answer));
        Assert.True(RelayEnvelope.TryReadNotice(answer.AsSpan(0, RelayEnvelope.NoticeBytes), out ulong doubted));
        Assert.Equal(channel, doubted);
        Assert.Equal(0, stranger.Available);
    }

    [Fact]
    public async Task A_device_takes_relayed_datagrams_from_its_beacon_only()
    {
        (MeshConnection ofA, MeshConnection _) = await ConnectAsync();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        byte[] forged = new byte[RelayEnvelope.HeaderBytes + 100], notice = new byte[RelayEnvelope.NoticeBytes];
        ulong channel = (await _a.WayToAsync(_b)).Id;
        RelayEnvelope.Write(forged, channel, new byte[100]);
        RelayEnvelope.WriteNotice(notice, channel);
        stranger.SendTo(notice, _a.Endpoint.LocalAddresses[0]);
        stranger.SendTo(forged, _a.Endpoint.LocalAddresses[0]);
        await Wait.UntilAsync(() => _a.Endpoint.Counters.ForUnknownChannels == 1, "the forged datagram was counted");
        Assert.True(_a.Client.IsRegistered);
        Assert.False(ofA.Closed.IsCompleted);
    }

    [Fact]
    public async Task A_beacon_with_another_key_is_not_used()
    {
        var wrong = new BeaconAddress("127.0.0.1", _beacon.Address.Port, DeviceIdentity.Create(SystemEntropy.Instance).PublicKey);
        await using var device = new TestDevice(wrong);
        device.Client.Start();
        await Wait.UntilAsync(() => device.Client.Problem is not null, "it says why");
        Assert.Equal(BeaconErrors.Unreachable, device.Client.Problem!.Code);
    }

    [Fact]
    public async Task A_device_comes_in_when_it_was_put_on_the_list_and_goes_when_it_was_taken_off()
    {
        await using var choosy = new TestBeacon(hasList: true);
        await using var device = new TestDevice(choosy.Place);
        device.Client.Start();
        await Wait.UntilAsync(() => choosy.Server.Packets.Strangers > 0, "it knocks");
        Assert.False(device.Client.IsRegistered);
        choosy.Admit(device.Id);
        await Wait.UntilAsync(() => device.Client.IsRegistered, "it is registered");
        choosy.Admit();
        await Wait.UntilAsync(() => !device.Client.IsRegistered, "it was sent away");
    }

    [Fact]
    public async Task A_full_beacon_says_so()
    {
        await using var small = new TestBeacon(new Core.BeaconLimits { DevicesMax = 1 });
        await using TestDevice first = new(small.Place), second = new(small.Place);
        first.Client.Start();
        await Wait.UntilAsync(() => first.Client.IsRegistered, "the first is registered");
        second.Client.Start();

        // On a busy machine its first attempt may end without any answer.
        await Wait.UntilAsync(() => second.Client.Problem?.Code == BeaconErrors.Full, "the second is told");
    }

    private async Task<(MeshConnection OfA, MeshConnection OfB)> ConnectAsync()
    {
        _a.Admit(_b);
        _b.Admit(_a);
        MeshConnection ofA = await _a.ConnectAsync(_b);
        return (ofA, await _b.AcceptAsync());
    }
}
