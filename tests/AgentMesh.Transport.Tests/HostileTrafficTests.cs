using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Tests;

[CollectionDefinition(nameof(HostileTrafficTests), DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>An endpoint under fire from somebody without a key, who can also see and change what two devices say.</summary>
[Collection(nameof(HostileTrafficTests))]
public sealed class HostileTrafficTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task Noise_gets_no_answer_and_does_not_stop_the_service()
    {
        await using var pair = new EndpointPair();
        (IMeshConnection a, IMeshConnection b) = await pair.ConnectAsync();
        using var attacker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        attacker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var random = new Random(7);
        byte[] bytes = new byte[1500];
        long memory = 0;
        for (int i = 0; i < 20_000; i++)
        {
            if (i == 4_000)
            {
                // Everything that is made once has been made.
                memory = GC.GetTotalMemory(forceFullCollection: true);
            }

            int length = random.Next(0, bytes.Length);
            random.NextBytes(bytes.AsSpan(0, length));
            if (length > 0)
            {
                // Every kind of first byte, the known ones more often.
                bytes[0] = random.Next(3) switch { 0 => (byte)0x81, 1 => (byte)(0x40 | random.Next(64)), _ => bytes[0] };
            }

            attacker.SendTo(bytes.AsSpan(0, length), pair.B.Address);
            if (i % 2_000 == 0)
            {
                await Echo(a, b);
            }
        }

        await Echo(a, b);
        Assert.Equal(0, attacker.Available);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - memory, long.MinValue, 8 << 20);
        Assert.True(pair.B.Endpoint.Counters.Malformed + pair.B.Endpoint.Counters.ForUnknownConnections + pair.B.Endpoint.Counters.RefusedHandshakes > 1_000);
    }

    [Fact]
    public async Task Changed_cut_and_repeated_packets_are_dropped_and_counted()
    {
        await using var target = new TestDevice();
        await using var peer = new TestDevice();
        target.Admit(peer);
        peer.Admit(target);
        using var between = new Forwarder(target.Address, seed: 3);
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        IMeshConnection a = await peer.Endpoint.ConnectAsync(target.Identity.PublicKey, [between.Address], limit.Token);
        IMeshConnection b = await target.AcceptAsync();
        between.Hurts = true;

        for (int i = 0; i < 30; i++)
        {
            await Echo(a, b);
        }

        Assert.True(between.Hurt > 20, $"{between.Hurt} packets were changed");
        Assert.True(target.Endpoint.Counters.NotAuthentic > 0);
    }

    private static async Task Echo(IMeshConnection a, IMeshConnection b)
    {
        IMeshStream ours = await a.OpenStreamAsync(StreamPriority.Ordinary, Never);
        await ours.WriteAsync("ping"u8.ToArray(), Never);
        await ours.CompleteWritesAsync();
        IMeshStream theirs = (await b.AcceptStreamAsync(Never).AsTask().WaitAsync(EndpointPair.Patience))!;
        byte[] read = await theirs.ReadToEndAsync();
        await theirs.WriteAsync(read, Never);
        await theirs.CompleteWritesAsync();
        Assert.Equal("ping"u8.ToArray(), await ours.ReadToEndAsync());
    }

    /// <summary>Passes datagrams between a peer and the target; beside each it sends a changed, a cut or the same one again.</summary>
    private sealed class Forwarder : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly IPEndPoint _target;
        private readonly Random _random;
        private int _hurt;

        public Forwarder(IPEndPoint target, int seed)
        {
            _target = target;
            _random = new Random(seed);
            _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            new Thread(Run) { IsBackground = true }.Start();
        }

        public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

        public bool Hurts { get; set; }

        public int Hurt => _hurt;

        public void Dispose() => _socket.Dispose();

        private void Run()
        {
            byte[] buffer = new byte[65_536];
            EndPoint? peer = null;
            try
            {
                while (true)
                {
                    EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                    int length = _socket.ReceiveFrom(buffer, ref from);
                    bool fromTarget = from.Equals(_target);
                    peer = fromTarget ? peer : from;
                    EndPoint to = fromTarget ? peer! : _target;
                    byte[] original = buffer[..length];
                    if (Hurts)
                    {
                        Damage(original, to);
                    }

                    _socket.SendTo(original, to);
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private void Damage(byte[] original, EndPoint to)
        {
            Interlocked.Increment(ref _hurt);
            byte[] copy = [.. original];
            switch (_random.Next(3))
            {
                case 0:
                    copy[_random.Next(copy.Length)] ^= (byte)(1 << _random.Next(8));
                    _socket.SendTo(copy, to);
                    break;
                case 1:
                    _socket.SendTo(copy.AsSpan(0, _random.Next(copy.Length)), to);
                    break;
                default:
                    _socket.SendTo(copy, to);
                    break;
            }
        }
    }
}
