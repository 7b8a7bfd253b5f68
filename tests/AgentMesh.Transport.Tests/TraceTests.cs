using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Transport.Tests;

public sealed class TraceTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_trace_is_a_pcapng_file_with_every_datagram_of_both_directions(string host)
    {
        await using var pair = new EndpointPair(new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Parse(host), 0)] });
        using var over = new CancellationTokenSource();
        var capture = new Capture(pair.A.Endpoint.TraceAsync(int.MaxValue, over.Token));
        await capture.HasBegun;
        (IMeshConnection ours, IMeshConnection theirs) = await pair.ConnectAsync();
        await using IMeshStream stream = await ours.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
        await stream.WriteAsync(new byte[100_000], CancellationToken.None);
        await stream.CompleteWritesAsync();
        Assert.Equal(100_000, (await (await theirs.AcceptStreamAsync(CancellationToken.None))!.ReadToEndAsync()).Length);
        await over.CancelAsync();

        List<Packet> packets = await capture.Packets();

        Assert.Equal("handshake initiation", packets[0].Comment);
        Assert.Equal((pair.A.Address, pair.B.Address, false), (packets[0].From, packets[0].To, packets[0].IsInbound));
        Assert.Contains(packets, packet => packet is { Comment: "handshake response", IsInbound: true } && packet.From.Equals(pair.B.Address) && packet.To.Equals(pair.A.Address));
        Assert.True(packets.Where(packet => !packet.IsInbound && packet.Comment.StartsWith("packet to connection ", StringComparison.Ordinal)).Sum(packet => packet.Datagram.Length) > 100_000);
        Assert.DoesNotContain(packets, packet => packet.Comment == "not of this protocol");
    }

    [Fact]
    public async Task There_is_one_trace_at_a_time_and_the_next_may_begin_when_it_has_ended()
    {
        await using var pair = new EndpointPair();
        using var over = new CancellationTokenSource();
        var first = new Capture(pair.A.Endpoint.TraceAsync(64, over.Token));
        await first.HasBegun;

        MeshException refused = await Assert.ThrowsAsync<MeshException>(async () => await new Capture(pair.A.Endpoint.TraceAsync(64, over.Token)).HasBegun);

        Assert.Equal(TransportErrors.TraceRuns, refused.Code);
        await over.CancelAsync();
        Assert.Empty(await first.Packets());
        using var again = new CancellationTokenSource();
        var second = new Capture(pair.A.Endpoint.TraceAsync(64, again.Token));
        await second.HasBegun;
        await pair.ConnectAsync();
        await again.CancelAsync();

        // No more than asked is kept, headers included; the length that it had is told.
        List<Packet> packets = await second.Packets();
        Assert.All(packets, packet => Assert.Equal(Math.Min(64, packet.Length) - 28, packet.Datagram.Length));
        Assert.Contains(packets, packet => packet.Length > 64);
    }

    [Fact]
    public async Task With_the_key_log_every_packet_of_a_trace_can_be_read()
    {
        var log = new Secrets();
        var handshake = new HandshakeSettings { Suite = CipherSuite.Aes256Gcm, KeyLog = log, Rekey = new RekeySettings { Interval = TimeSpan.FromMilliseconds(20) } };
        await using var pair = new EndpointPair(new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)], Handshake = handshake, Mtu = MtuSettings.Fixed(1200) });
        using var over = new CancellationTokenSource();
        var capture = new Capture(pair.A.Endpoint.TraceAsync(int.MaxValue, over.Token));
        await capture.HasBegun;
        (IMeshConnection ours, IMeshConnection theirs) = await pair.ConnectAsync();
        await using IMeshStream stream = await ours.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
        byte[] data = new byte[10_000], received = new byte[10_000];
        data.AsSpan().Fill(0x5a);
        await stream.WriteAsync(data, CancellationToken.None);
        await using IMeshStream other = (await theirs.AcceptStreamAsync(CancellationToken.None))!;
        int sent = data.Length;
        for (int got = 0; got < sent; got += await other.ReadAsync(received, CancellationToken.None))
        {
            if (log.Epochs < 3 && got > sent - data.Length)
            {
                await stream.WriteAsync(data, CancellationToken.None);
                sent += data.Length;
            }
        }

        await over.CancelAsync();

        List<Packet> packets = await capture.Packets();

        int read = 0;
        foreach (Packet packet in packets.Where(packet => packet.Comment.StartsWith("packet to connection ", StringComparison.Ordinal)))
        {
            byte[] plain = log.Open(packet.Datagram);
            read += packet.IsInbound ? 0 : plain.Count(each => each == 0x5a);
        }

        Assert.True(read >= sent, "every byte that was sent has been read");
    }

    /// <summary>Reads packets by wire-v1.md with nothing but the lines of a key log.</summary>
    private sealed class Secrets : IKeyLog
    {
        private readonly ConcurrentDictionary<(ulong To, uint Epoch), (string Direction, byte[] Secret)> _known = new();

        public int Epochs => _known.Count / 2;

        public void Add(ConnectionId toInitiator, ConnectionId toResponder, CipherSuite suite, uint epoch, ReadOnlySpan<byte> secret)
        {
            _known[(toResponder.Value, epoch)] = ("i2r", secret.ToArray());
            _known[(toInitiator.Value, epoch)] = ("r2i", secret.ToArray());
        }

        public byte[] Open(byte[] packet)
        {
            ulong to = BinaryPrimitives.ReadUInt64BigEndian(packet.AsSpan(1));
            (string direction, byte[] first) = _known[(to, 0)];
            byte[] mask = Mask(Expand(first, "agentmesh hp " + direction, 32), packet.AsSpan(13, 16));
            packet = [.. packet];
            packet[0] ^= (byte)(mask[0] & 0x1f);
            for (int i = 0; i < 4; i++)
            {
                packet[9 + i] ^= mask[1 + i];
            }

            // Which of the epochs with these two low bits it was is found by trying.
            foreach (uint epoch in _known.Keys.Where(key => key.To == to && (key.Epoch & 3) == (packet[0] & 3)).Select(key => key.Epoch))
            {
                byte[] secret = _known[(to, epoch)].Secret, nonce = Expand(secret, "agentmesh iv " + direction, 12), plain = new byte[packet.Length - 29];
                for (int i = 0; i < 4; i++)
                {
                    nonce[8 + i] ^= packet[9 + i];
                }

                try
                {
                    byte[] key = Expand(secret, "agentmesh key " + direction, 32);
                    using var aes = new AesGcm(key, 16);
                    aes.Decrypt(nonce, packet.AsSpan(13, plain.Length), packet.AsSpan(packet.Length - 16), plain, packet.AsSpan(0, 13));
                    return plain;
                }
                catch (AuthenticationTagMismatchException)
                {
                    // Of another epoch.
                }
            }

            throw new InvalidOperationException("no secret of the log opens this packet");
        }

        private static byte[] Expand(byte[] secret, string label, int bytes) => HKDF.Expand(HashAlgorithmName.SHA256, secret, bytes, Encoding.ASCII.GetBytes(label));

        private static byte[] Mask(byte[] key, ReadOnlySpan<byte> sample)
        {
            using var aes = Aes.Create();
            aes.Key = key;
            return aes.EncryptEcb(sample, PaddingMode.None);
        }
    }

    private sealed record Packet(IPEndPoint From, IPEndPoint To, bool IsInbound, byte[] Datagram, int Length, string Comment);

    /// <summary>Reads the format by its specification, not with the code that wrote it.</summary>
    private sealed class Capture
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task<byte[]> _all;

        public Capture(IAsyncEnumerable<byte[]> blocks) => _all = ReadAsync(blocks);

        public Task HasBegun => Task.WhenAny(_begun.Task, _all).Unwrap();

        public async Task<List<Packet>> Packets()
        {
            byte[] all = await _all.WaitAsync(EndpointPair.Patience);
            List<Packet> packets = [];
            List<uint> types = [];
            for (int at = 0, length; at < all.Length; at += length)
            {
                length = (int)BinaryPrimitives.ReadUInt32LittleEndian(all.AsSpan(at + 4));
                Assert.True(length % 4 == 0 && at + length <= all.Length);
                Assert.Equal(length, (int)BinaryPrimitives.ReadUInt32LittleEndian(all.AsSpan(at + length - 4)));
                types.Add(BinaryPrimitives.ReadUInt32LittleEndian(all.AsSpan(at)));
                if (types[^1] == 6)
                {
                    packets.Add(PacketOf(all.AsSpan(at, length)));
                }
            }

            Assert.Equal([0x0a0d0d0au, 1u], types.Take(2));
            Assert.Equal(5u, types[^1]);
            return packets;
        }

        private static Packet PacketOf(ReadOnlySpan<byte> block)
        {
            int kept = (int)BinaryPrimitives.ReadUInt32LittleEndian(block[20..]), length = (int)BinaryPrimitives.ReadUInt32LittleEndian(block[24..]);
            ReadOnlySpan<byte> ip = block.Slice(28, kept);
            (int header, int size) = ip[0] >> 4 == 4 ? (20, 4) : (40, 16);
            Assert.Equal(17, ip[header == 20 ? 9 : 6]);
            Assert.Equal(length, BinaryPrimitives.ReadUInt16BigEndian(ip[(header == 20 ? 2 : 4)..]) + (header == 20 ? 0 : 40));
            ReadOnlySpan<byte> udp = ip[header..];
            int addresses = header == 20 ? 12 : 8;
            var from = new IPEndPoint(new IPAddress(ip.Slice(addresses, size)), BinaryPrimitives.ReadUInt16BigEndian(udp));
            var to = new IPEndPoint(new IPAddress(ip.Slice(addresses + size, size)), BinaryPrimitives.ReadUInt16BigEndian(udp[2..]));
            uint flags = 0;
            string comment = "";
            for (ReadOnlySpan<byte> option = block[(28 + ((kept + 3) & ~3))..]; BinaryPrimitives.ReadUInt16LittleEndian(option) != 0;)
            {
                int bytes = BinaryPrimitives.ReadUInt16LittleEndian(option[2..]);
                if (BinaryPrimitives.ReadUInt16LittleEndian(option) == 1)
                {
                    comment = Encoding.UTF8.GetString(option.Slice(4, bytes));
                }
                else
                {
                    flags = BinaryPrimitives.ReadUInt32LittleEndian(option[4..]);
                }

                option = option[(4 + ((bytes + 3) & ~3))..];
            }

            return new Packet(from, to, flags == 1, udp[8..].ToArray(), length, comment);
        }

        private async Task<byte[]> ReadAsync(IAsyncEnumerable<byte[]> blocks)
        {
            using var all = new MemoryStream();
            await foreach (byte[] block in blocks)
            {
                all.Write(block);
                _begun.TrySetResult();
            }

            return all.ToArray();
        }
    }
}
