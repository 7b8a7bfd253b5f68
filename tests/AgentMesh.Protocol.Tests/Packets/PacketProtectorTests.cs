using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Packets;

public class PacketProtectorTests
{
    public static TheoryData<CipherSuite> Suites => new() { CipherSuite.Aes256Gcm, CipherSuite.ChaCha20Poly1305 };

    [Theory]
    [MemberData(nameof(Suites))]
    public void Opens_what_the_other_side_sealed(CipherSuite suite)
    {
        var pair = new ProtectorPair(suite);
        foreach (int size in new[] { 0, 1, 3, 16, 1200, 9000 })
        {
            byte[] payload = new byte[size];
            new Random(size).NextBytes(payload);
            byte[] packet = pair.Seal(pair.Initiator, payload);
            Assert.Equal(DatagramKind.Packet, Datagrams.KindOf(packet));
            Assert.True(PacketLayout.TryReadDestination(packet, out ConnectionId destination));
            Assert.Equal(ProtectorPair.Destination, destination);
            Assert.Equal(OpenStatus.Opened, pair.Responder.Open(packet, default, pair.Now, out OpenedPacket opened));
            Assert.Equal(payload, packet.AsSpan(opened.PayloadOffset, opened.PayloadLength).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Refuses_every_flipped_bit(CipherSuite suite)
    {
        var pair = new ProtectorPair(suite);
        byte[] packet = pair.Seal(pair.Initiator, "some payload"u8);
        for (int bit = 0; bit < packet.Length * 8; bit++)
        {
            byte[] bad = (byte[])packet.Clone();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(pair.Open(pair.Responder, bad) != OpenStatus.Opened, $"bit {bit}");
        }

        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packet));
    }

    [Fact]
    public void Refuses_every_other_length()
    {
        var pair = new ProtectorPair();
        byte[] packet = pair.Seal(pair.Initiator, "some payload"u8);
        for (int length = 0; length < packet.Length; length++)
        {
            Assert.True(pair.Open(pair.Responder, packet[..length]) != OpenStatus.Opened, $"length {length}");
        }

        Assert.NotEqual(OpenStatus.Opened, pair.Open(pair.Responder, [.. packet, 0]));
    }

    [Fact]
    public void Refuses_a_packet_the_second_time_and_its_reflection()
    {
        var pair = new ProtectorPair();
        byte[] packet = pair.Seal(pair.Initiator, "once"u8);
        Assert.NotEqual(OpenStatus.Opened, pair.Open(pair.Initiator, packet));
        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packet));
        Assert.Equal(OpenStatus.Replayed, pair.Open(pair.Responder, packet));
    }

    [Fact]
    public void Accepts_reordering_within_the_window_and_refuses_beyond_it()
    {
        var pair = new ProtectorPair();
        List<byte[]> packets = [.. Enumerable.Range(0, ReplayWindow.Size + 1).Select(_ => pair.Seal(pair.Initiator, "x"u8))];
        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packets[^1]));
        Assert.Equal(OpenStatus.Replayed, pair.Open(pair.Responder, packets[0]));
        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packets[1]));
        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packets[2000]));
    }

    [Fact]
    public void Packet_of_one_path_does_not_open_on_another()
    {
        var pair = new ProtectorPair();
        byte[] packet = pair.Seal(pair.Initiator, "x"u8, new PathId(3));
        Assert.Equal(OpenStatus.NotAuthentic, pair.Open(pair.Responder, packet));
        Assert.Equal(OpenStatus.Opened, pair.Open(pair.Responder, packet, new PathId(3)));
    }

    [Fact]
    public void Packet_number_used_twice_is_a_bug_that_stops_the_connection()
    {
        var pair = new ProtectorPair();
        byte[] packet = new byte[100];
        Assert.True(pair.Initiator.TrySeal(packet, 10, default, default, 7, pair.Now, out _));
        Assert.Throws<InvariantException>(() => pair.Initiator.TrySeal(packet, 10, default, default, 7, pair.Now, out _));
    }

    [Fact]
    public void Number_and_epoch_are_not_readable_in_the_header()
    {
        var pair = new ProtectorPair();
        var numbers = new HashSet<string>();
        var firstBytes = new HashSet<byte>();
        for (int i = 0; i < 200; i++)
        {
            byte[] packet = pair.Seal(pair.Initiator, "same payload"u8);
            numbers.Add(Convert.ToHexString(packet, PacketLayout.PacketNumberOffset, 3));
            firstBytes.Add(packet[0]);
        }

        Assert.True(numbers.Count > 190, "the upper bytes of 0..199 are all zero when they are not masked");
        Assert.Equal(32, firstBytes.Count);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Sealing_and_opening_allocate_nothing(CipherSuite suite)
    {
        var pair = new ProtectorPair(suite);
        byte[] buffer = new byte[1400];
        long before = 0;
        for (ulong i = 0; i < 400; i++)
        {
            if (i == 200)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            pair.Initiator.TrySeal(buffer, 1200, ProtectorPair.Destination, default, i, pair.Now, out int length);
            pair.Responder.Open(buffer.AsSpan(0, length), default, pair.Now, out _);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void ChaCha_mask_is_that_of_RFC_9001_appendix_A5() => CheckMask(
        CipherSuite.ChaCha20Poly1305,
        "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
        "5e5cd55c41f69080575d7999c25a5bfb",
        "aefefe7d03");

    [Fact]
    public void Aes_mask_is_that_of_FIPS_197_appendix_C3() => CheckMask(
        CipherSuite.Aes256Gcm,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff",
        "8ea2b7ca51");

    private static void CheckMask(CipherSuite suite, string key, string sample, string expected)
    {
        using HeaderProtection protection = HeaderProtection.Create(suite, Convert.FromHexString(key));
        byte[] mask = new byte[HeaderProtection.MaskBytes];
        for (int i = 0; i < 2; i++)
        {
            protection.Mask(Convert.FromHexString(sample), mask); // the second time, too: the transform must not chain
            Assert.Equal(expected, Convert.ToHexString(mask), ignoreCase: true);
        }
    }
}
