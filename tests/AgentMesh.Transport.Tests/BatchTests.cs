using System.Net;
using System.Net.Sockets;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Tests;

public sealed class BatchTests
{
    private static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Datagrams_that_were_sent_together_arrive_each_by_itself_and_in_order(bool sends, bool receives)
    {
        using UdpSocket from = UdpSocket.Bind(Anywhere, 1 << 20, sends), to = UdpSocket.Bind(Anywhere, 1 << 20, receives);
        byte[] datagrams = [.. Enumerable.Range(0, (20 * 1400) + 333).Select(i => (byte)(i / 1400))];
        Task<List<byte[]>> receiving = Task.Run(() => Receive(to, 21));

        Assert.Equal(SendOutcome.Sent, from.Send(datagrams, 1400, to.Local.Serialize()));

        List<byte[]> received = await receiving.WaitAsync(EndpointPair.Patience);
        Assert.Equal([.. Enumerable.Repeat(1400, 20), 333], received.Select(datagram => datagram.Length));
        Assert.Equal(datagrams, received.SelectMany(datagram => datagram));
    }

    [Fact]
    public async Task What_the_system_refuses_as_a_batch_goes_out_one_by_one_at_once()
    {
        using UdpSocket from = UdpSocket.Bind(Anywhere, 1 << 20), to = UdpSocket.Bind(Anywhere, 1 << 20);
        byte[] datagrams = [.. Enumerable.Range(0, 500 * 20).Select(i => (byte)(i / 20))];

        // More datagrams than any kernel takes in one call.
        for (int i = 0; i < 10; i++)
        {
            Task<List<byte[]>> receiving = Task.Run(() => Receive(to, 500));
            Assert.Equal(SendOutcome.Sent, from.Send(datagrams, 20, to.Local.Serialize()));
            List<byte[]> received = await receiving.WaitAsync(EndpointPair.Patience);
            Assert.Equal(datagrams, received.SelectMany(datagram => datagram));
        }
    }

    [Fact]
    public void A_datagram_that_no_link_carries_is_told_apart()
    {
        using UdpSocket plain = UdpSocket.Bind(Anywhere, 1 << 20, offload: false), batching = UdpSocket.Bind(Anywhere, 1 << 20);
        SocketAddress to = plain.Local.Serialize();

        Assert.Equal(SendOutcome.TooLong, plain.Send(new byte[65_508], 65_508, to));
        Assert.Equal(SendOutcome.TooLong, batching.Send(new byte[65_508], 65_508, to));
        Assert.Equal(SendOutcome.Sent, batching.Send(new byte[65_507], 65_507, to));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Closing_a_socket_ends_who_waits_for_it(bool offload)
    {
        UdpSocket socket = UdpSocket.Bind(Anywhere, 1 << 20, offload);
        using var waits = new ManualResetEventSlim();
        Task<bool> receiving = Task.Factory.StartNew(
            () =>
            {
                using DatagramReceiver receiver = socket.NewReceiver();
                waits.Set();
                return receiver.TryReceive(out _);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        waits.Wait(EndpointPair.Patience);

        socket.Dispose();

        Assert.False(await receiving.WaitAsync(EndpointPair.Patience));
        Assert.Equal(SendOutcome.Refused, socket.Send(new byte[10], 10, Anywhere.Serialize()));
    }

    [Fact]
    public async Task Offload_can_be_turned_off_on_either_side()
    {
        var settings = new MeshEndpointSettings { Listen = [Anywhere], Offload = false };
        await using var a = new TestDevice(settings: settings);
        await using var b = new TestDevice();
        a.Admit(b);
        b.Admit(a);
        Assert.False(a.Endpoint.Sockets[0].SendsBatches || a.Endpoint.Sockets[0].ReceivesBatches);
        IMeshConnection dialled = await a.ConnectAsync(b), accepted = await b.AcceptAsync();
        foreach ((IMeshConnection from, IMeshConnection to) in new[] { (dialled, accepted), (accepted, dialled) })
        {
            IMeshStream ours = await from.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
            byte[] data = [.. Enumerable.Range(0, 3 << 20).Select(i => (byte)(i * 7))];
            Task sending = Task.Run(async () =>
            {
                await ours.WriteAsync(data, CancellationToken.None);
                await ours.CompleteWritesAsync();
            });
            IMeshStream theirs = (await to.AcceptStreamAsync(CancellationToken.None).AsTask().WaitAsync(EndpointPair.Patience))!;
            Assert.Equal(data, await theirs.ReadToEndAsync().WaitAsync(EndpointPair.Patience));
            await sending;
        }
    }

    private static List<byte[]> Receive(UdpSocket socket, int count)
    {
        var received = new List<byte[]>();
        DatagramReceiver receiver = socket.NewReceiver();
        while (received.Count < count && receiver.TryReceive(out int messages))
        {
            for (int i = 0; i < messages; i++)
            {
                ArrivedDatagrams arrived = receiver.Get(i);
                for (int at = 0; at < arrived.Bytes.Length; at += arrived.DatagramBytes)
                {
                    received.Add(arrived.Bytes[at..Math.Min(at + arrived.DatagramBytes, arrived.Bytes.Length)].ToArray());
                }
            }
        }

        receiver.Dispose();
        return received;
    }
}
