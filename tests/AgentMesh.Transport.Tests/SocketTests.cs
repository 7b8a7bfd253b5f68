using System.Net;
using System.Net.Sockets;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Tests;

public sealed class SocketTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Receiving_goes_on_after_a_datagram_to_nobody_and_one_that_is_too_long()
    {
        using UdpSocket socket = UdpSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), 1 << 20);
        IPEndPoint nobody;
        using (UdpSocket closed = UdpSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), 1 << 20))
        {
            nobody = closed.Local;
        }

        Task<(int Length, IPEndPoint From)> receiving = Task.Run(() =>
        {
            byte[] buffer = new byte[100];
            Assert.True(socket.TryReceive(buffer, out int length, out IPEndPoint from));
            return (length, from);
        });
        for (int i = 0; i < 40; i++)
        {
            socket.Send(new byte[8], 8, nobody.Serialize());
        }

        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        peer.SendTo(new byte[7], socket.Local);

        Assert.Equal((7, (IPEndPoint)peer.LocalEndPoint!), await receiving.WaitAsync(EndpointPair.Patience));
    }

    [Fact]
    public async Task A_closed_socket_ends_its_receiver()
    {
        UdpSocket socket = UdpSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), 1 << 20);
        Task<bool> receiving = Task.Factory.StartNew(() => socket.TryReceive(new byte[100], out _, out _), Never, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        socket.Dispose();

        Assert.False(await receiving.WaitAsync(EndpointPair.Patience));
    }

    [Fact]
    public void Senders_are_told_apart_and_remembered_within_bounds()
    {
        var cache = new SenderCache();
        var any = new IPEndPoint(IPAddress.Any, 0);
        IPEndPoint first = cache.Find(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1000).Serialize(), any);
        Assert.Same(first, cache.Find(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1000).Serialize(), any));
        SocketAddress reused = new IPEndPoint(IPAddress.Parse("192.0.2.2"), 1000).Serialize();
        Assert.Equal("192.0.2.2:1000", cache.Find(reused, any).ToString());
        for (int port = 1; port < 5 * SenderCache.Max; port++)
        {
            Assert.Equal(port, cache.Find(new IPEndPoint(IPAddress.Loopback, port).Serialize(), any).Port);
        }

        Assert.Equal(first, cache.Find(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1000).Serialize(), any));
    }

    [Fact]
    public async Task An_IPv4_address_written_as_IPv6_is_dialled_by_IPv4()
    {
        await using var pair = new EndpointPair();
        using var limit = new CancellationTokenSource(EndpointPair.Patience);

        IMeshConnection connection = await pair.A.Endpoint.ConnectAsync(
            pair.B.Identity.PublicKey, [new IPEndPoint(pair.B.Address.Address.MapToIPv6(), pair.B.Address.Port)], limit.Token);

        Assert.Equal(pair.B.Address, connection.Path.Remote);
    }

    [Fact]
    public async Task The_share_of_lost_packets_is_told_once_there_is_enough_to_judge_by()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        Assert.Null(a.Path.LossRatio);
        IMeshStream ours = await a.OpenStreamAsync(StreamPriority.Bulk, Never);
        Task sending = Task.Run(async () =>
        {
            await ours.WriteAsync(new byte[4 << 20], Never);
            await ours.CompleteWritesAsync();
        });
        await (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!.ReadToEndAsync();
        await sending;

        Assert.InRange(a.Path.LossRatio!.Value, 0, 1);
    }
}
