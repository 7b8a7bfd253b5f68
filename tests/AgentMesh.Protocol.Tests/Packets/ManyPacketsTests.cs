using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Packets;

public sealed class ManyPacketsTests
{
    [Theory]
    [InlineData(CipherSuite.Aes256Gcm, 150)]
    [InlineData(CipherSuite.Aes256Gcm, 64)]
    [InlineData(CipherSuite.ChaCha20Poly1305, 5)]
    public void Headers_masked_together_are_those_masked_one_by_one(CipherSuite suite, int count)
    {
        const int payload = 100, each = payload + PacketLayout.Overhead, last = 40;
        var pair = new ProtectorPair(suite);
        PacketProtector together = new ProtectorPair(suite).Initiator;
        byte[] many = new byte[((count - 1) * each) + last + PacketLayout.Overhead];
        byte[] expected = [];
        for (int i = 0; i < count; i++)
        {
            int length = i == count - 1 ? last : payload;
            byte[] plain = [.. Enumerable.Repeat((byte)i, length)];
            expected = [.. expected, .. pair.Seal(pair.Initiator, plain)];
            plain.CopyTo(many, (i * each) + PacketLayout.HeaderBytes);
            Assert.True(together.TrySealBare(many.AsSpan(i * each), length, ProtectorPair.Destination, default, (ulong)i, pair.Now, out int sealedBytes));
            Assert.Equal(length + PacketLayout.Overhead, sealedBytes);
        }

        together.MaskSealed(many, each);

        Assert.Equal(expected, many);
        pair.Responder.UnmaskArrived(many, each);
        for (int i = 0; i < count; i++)
        {
            int length = Math.Min(each, many.Length - (i * each));
            Assert.Equal(OpenStatus.Opened, pair.Responder.OpenBare(many.AsSpan(i * each, length), default, pair.Now, out OpenedPacket packet));
            Assert.Equal((ulong)i, packet.PacketNumber);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(28, 28)]
    [InlineData(100, 3)]
    [InlineData(128, 100)]
    public void Pieces_that_are_too_short_for_a_packet_are_left_alone(int total, int each)
    {
        PacketProtector protector = new ProtectorPair().Responder;
        byte[] bytes = new byte[total];

        protector.UnmaskArrived(bytes, each);

        int whole = each >= PacketLayout.MinPacketBytes ? total / each * each : 0;
        Assert.All(bytes[whole..], piece => Assert.Equal(0, piece));
    }
}
