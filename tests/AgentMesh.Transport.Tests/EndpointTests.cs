using System.Net;
using System.Net.Sockets;
using AgentMesh.Errors;

namespace AgentMesh.Transport.Tests;

public sealed class EndpointTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task An_address_learned_later_joins_the_dial_in_progress()
    {
        await using var caller = new TestDevice();
        await using var called = new TestDevice();
        using var nobody = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        caller.Admit(called);
        called.Admit(caller);
        using var limit = new CancellationTokenSource(EndpointPair.Patience);

        Task<IMeshConnection> early = caller.Endpoint.ConnectAsync(called.Identity.PublicKey, [(IPEndPoint)nobody.Client.LocalEndPoint!], limit.Token).AsTask();
        IMeshConnection late = await caller.Endpoint.ConnectAsync(called.Identity.PublicKey, [called.Address], limit.Token);

        Assert.Same(late, await early);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_is_listed_under_an_id_of_its_own_takes_no_place_of_the_device_that_it_was_of(bool isListedAside)
    {
        await using var present = new TestDevice();
        await using var former = new TestDevice();
        await using var here = new TestDevice();
        here.Admit(present);
        here.Admit(former);
        present.Admit(here);
        former.Admit(here);

        // One device has both keys, and its id is that of the former one.
        here.Door.Listed[present.Identity.PublicKey.Id] = former.Identity.Id;
        if (isListedAside)
        {
            here.Door.Listed[former.Identity.PublicKey.Id] = here.Identity.Id;
        }

        await present.ConnectAsync(here);
        IMeshConnection live = await here.AcceptAsync();
        await former.ConnectAsync(here);
        IMeshConnection second = await here.AcceptAsync();

        Assert.Equal(former.Identity.Id, live.RemoteId);
        Assert.Equal(isListedAside ? here.Identity.Id : former.Identity.Id, second.RemoteId);
        if (isListedAside)
        {
            Assert.False(live.Closed.IsCompleted);
        }
        else
        {
            await live.Closed.WaitAsync(EndpointPair.Patience);
        }
    }

    [Fact]
    public async Task Disposal_says_goodbye_and_ends_everything_that_waits()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        Task reading = stream.ReadAsync(new byte[10], Never).AsTask();
        Task<IMeshConnection?> accepting = pair.A.Endpoint.AcceptAsync(Never).AsTask();

        await pair.A.DisposeAsync();

        await Assert.ThrowsAsync<StreamAbortedException>(() => reading.WaitAsync(EndpointPair.Patience));
        Assert.Null(await accepting.WaitAsync(EndpointPair.Patience));
        ConnectionEnd seen = await b.Closed.WaitAsync(EndpointPair.Patience);
        Assert.Equal((true, 0UL), (seen.ByRemote, seen.Code));
        MeshException error = await Assert.ThrowsAsync<MeshException>(() => pair.A.ConnectAsync(pair.B));
        Assert.Equal(TransportErrors.EndpointStopped, error.Code);
    }

    [Fact]
    public async Task Disposal_ends_a_dial_that_is_under_way()
    {
        var a = new TestDevice();
        await using var stranger = new TestDevice();
        Task dialling = a.ConnectAsync(stranger);

        await a.DisposeAsync();

        Assert.Equal(TransportErrors.EndpointStopped, (await Assert.ThrowsAsync<MeshException>(() => dialling.WaitAsync(EndpointPair.Patience))).Code);
    }

    [Fact]
    public async Task Of_several_addresses_the_one_that_answers_is_used()
    {
        await using var pair = new EndpointPair();
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        IPEndPoint[] addresses = [(IPEndPoint)silent.LocalEndPoint!, new IPEndPoint(IPAddress.IPv6Loopback, 9), pair.B.Address];

        IMeshConnection connection = await pair.A.Endpoint.ConnectAsync(pair.B.Identity.PublicKey, addresses, limit.Token);

        Assert.Equal(pair.B.Address, connection.Path.Remote);
    }

    [Fact]
    public async Task Dials_of_the_same_device_share_one_connection()
    {
        await using var pair = new EndpointPair();

        IMeshConnection[] all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => pair.A.ConnectAsync(pair.B)));

        Assert.All(all, connection => Assert.Same(all[0], connection));
        await pair.B.AcceptAsync();
    }

    [Fact]
    public async Task A_dial_that_nobody_waits_for_any_more_can_be_repeated()
    {
        await using var pair = new EndpointPair();
        pair.B.Door.Admitted.Clear();
        using (var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100)))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await pair.A.Endpoint.ConnectAsync(pair.B.Identity.PublicKey, [pair.B.Address], soon.Token));
        }

        pair.B.Admit(pair.A);

        Assert.Equal(pair.B.Endpoint.LocalId, (await pair.A.ConnectAsync(pair.B)).RemoteId);
    }

    [Fact]
    public async Task One_endpoint_serves_many_devices()
    {
        await using var host = new TestDevice();
        TestDevice[] guests = [.. Enumerable.Range(0, 30).Select(_ => new TestDevice())];
        Task serving = Task.Run(async () =>
        {
            for (int i = 0; i < guests.Length; i++)
            {
                IMeshConnection accepted = await host.AcceptAsync();
                IMeshStream stream = (await accepted.AcceptStreamAsync(Never))!;
                await stream.WriteAsync(await stream.ReadToEndAsync(), Never);
                await stream.CompleteWritesAsync();
            }
        });
        await Task.WhenAll(guests.Select(async (guest, i) =>
        {
            host.Admit(guest);
            guest.Admit(host);
            IMeshStream stream = await (await guest.ConnectAsync(host)).OpenStreamAsync(StreamPriority.Ordinary, Never);
            byte[] data = new byte[10_000 + i];
            await stream.WriteAsync(data, Never);
            await stream.CompleteWritesAsync();
            Assert.Equal(data.Length, (await stream.ReadToEndAsync()).Length);
        })).WaitAsync(EndpointPair.Patience);
        await serving.WaitAsync(EndpointPair.Patience);
        foreach (TestDevice guest in guests)
        {
            await guest.DisposeAsync();
        }
    }

    [Fact]
    public async Task Machines_with_both_families_listen_on_both()
    {
        await using var device = new TestDevice(settings: new MeshEndpointSettings());

        Assert.Contains(device.Endpoint.LocalAddresses, address => address.AddressFamily == AddressFamily.InterNetwork && address.Port != 0);
        Assert.InRange(device.Endpoint.LocalAddresses.Count, 1, 2);
    }
}
