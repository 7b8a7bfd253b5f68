using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Tests;

/// <summary>The address of one side changes under an open connection, as behind a router that forgets a mapping.</summary>
public sealed class RoamingTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_transfer_goes_on_when_the_address_of_the_sender_changes()
    {
        await using var host = new TestDevice();
        await using var guest = new TestDevice();
        host.Admit(guest);
        guest.Admit(host);
        await using var router = new Router(host.Address);
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        IMeshConnection a = await guest.Endpoint.ConnectAsync(host.Identity.PublicKey, [router.Inside], limit.Token);
        IMeshConnection b = await host.AcceptAsync();
        byte[] data = new byte[8 << 20];
        new Random(1).NextBytes(data);
        IMeshStream up = await a.OpenStreamAsync(StreamPriority.Bulk, Never);
        Task sending = Task.Run(async () =>
        {
            for (int at = 0; at < data.Length; at += data.Length / 4)
            {
                await up.WriteAsync(data.AsMemory(at, data.Length / 4), Never);
                IPEndPoint before = router.Outside;
                router.Rebind();
                Assert.NotEqual(before, router.Outside);
            }

            await up.CompleteWritesAsync();
        });

        IMeshStream accepted = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        byte[] read = await accepted.ReadToEndAsync();
        await sending.WaitAsync(EndpointPair.Patience);
        Assert.True(data.AsSpan().SequenceEqual(read));

        // The way back, from the side that never moved.
        await accepted.WriteAsync("there"u8.ToArray(), Never);
        await accepted.CompleteWritesAsync();
        Assert.Equal("there"u8.ToArray(), await up.ReadToEndAsync());
        Assert.Equal(router.Outside, b.Path.Remote);
        Assert.False(a.Closed.IsCompleted || b.Closed.IsCompleted);
    }

    [Fact]
    public async Task A_copy_of_a_packet_from_elsewhere_moves_nothing()
    {
        await using var host = new TestDevice();
        await using var guest = new TestDevice();
        host.Admit(guest);
        guest.Admit(host);
        await using var router = new Router(host.Address);
        using var attacker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        attacker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        IMeshConnection a = await guest.Endpoint.ConnectAsync(host.Identity.PublicKey, [router.Inside], limit.Token);
        IMeshConnection b = await host.AcceptAsync();
        IMeshStream stream = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        int copied = 0;
        int copiedBytes = 0;
        router.BeforePassing = packet =>
        {
            if (Interlocked.Increment(ref copied) <= 20)
            {
                Interlocked.Add(ref copiedBytes, packet.Length);
                attacker.SendTo(packet, host.Address); // it arrives first
            }
        };

        for (int i = 0; i < 30; i++)
        {
            await stream.WriteAsync(new byte[10], Never);
            await Task.Delay(2);
        }

        await stream.CompleteWritesAsync();
        Assert.Equal(300, (await (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!.ReadToEndAsync()).Length);
        Assert.Equal(router.Outside, b.Path.Remote);
        Assert.InRange(attacker.Available, 0, 3 * copiedBytes);
    }

    /// <summary>Passes datagrams between one client inside and one server outside, and can change the address that the server sees.</summary>
    private sealed class Router : IAsyncDisposable
    {
        private readonly Socket _inside = Bound();
        private readonly IPEndPoint _server;
        private readonly List<Socket> _all = [];
        private volatile Socket _outside;
        private volatile EndPoint? _client;

        public Router(IPEndPoint server)
        {
            _server = server;
            _outside = Outward();
            _all.Add(_inside);
            Start(_inside, (datagram, from) =>
            {
                _client = from;
                BeforePassing?.Invoke(datagram);
                _outside.SendTo(datagram, _server);
            });
        }

        public IPEndPoint Inside => (IPEndPoint)_inside.LocalEndPoint!;

        public IPEndPoint Outside => (IPEndPoint)_outside.LocalEndPoint!;

        public Action<byte[]>? BeforePassing { get; set; }

        /// <summary>From now on the client is seen at another port, and what comes to the old one is dropped.</summary>
        public void Rebind() => _outside = Outward();

        public ValueTask DisposeAsync()
        {
            _all.ForEach(socket => socket.Dispose());
            return ValueTask.CompletedTask;
        }

        private static Socket Bound()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20, SendBufferSize = 4 << 20 };
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return socket;
        }

        private Socket Outward()
        {
            Socket socket = Bound();
            _all.Add(socket);
            Start(socket, (datagram, _) =>
            {
                if (ReferenceEquals(socket, _outside) && _client is { } client)
                {
                    _inside.SendTo(datagram, client);
                }
            });
            return socket;
        }

        private static void Start(Socket socket, Action<byte[], EndPoint> pass)
        {
            new Thread(() =>
            {
                byte[] buffer = new byte[65_536];
                try
                {
                    while (true)
                    {
                        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                        int length = socket.ReceiveFrom(buffer, ref from);
                        pass(buffer[..length], from);
                    }
                }
                catch (Exception error) when (error is SocketException or ObjectDisposedException)
                {
                    // The test is over.
                }
            })
            { IsBackground = true }.Start();
        }
    }
}
