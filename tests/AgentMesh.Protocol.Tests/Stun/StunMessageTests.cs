using System.Net;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Tests.Gateways;

namespace AgentMesh.Protocol.Tests.Stun;

/// <summary>The messages are the test vectors of RFC 5769, sections 2.1 to 2.3 (code components of RFCs: Revised BSD License, trustee.ietf.org/license-info).</summary>
public sealed class StunMessageTests
{
    private static readonly byte[] Request = Convert.FromHexString(
        "000100582112a442b7e7a701bc34d686fa87dfae" + "802200105354554e207465737420636c69656e74" + "002400046e0001ff" + "80290008932ff9b151263b36"
        + "000600096576746a3a68367659202020" + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" + "80280004e57a3bcf");

    private static readonly byte[] Response4 = Convert.FromHexString(
        "0101003c2112a442b7e7a701bc34d686fa87dfae" + "8022000b7465737420766563746f7220" + "002000080001a147e112a643" + "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96");

    private static readonly byte[] Response6 = Convert.FromHexString(
        "010100482112a442b7e7a701bc34d686fa87dfae" + "8022000b7465737420766563746f7220" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
        + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" + "80280004c8fb0b4c");

    [Fact]
    public void The_vectors_are_read()
    {
        Assert.True(StunMessage.TryRead(Request, out StunMessage request));
        Assert.Equal(StunType.BindingRequest, request.Type);
        Assert.Equal(new StunTransactionId(0xb7e7a701bc34d686, 0xfa87dfae), request.Transaction);
        Assert.False(request.TryGetMapped(out _));

        Assert.True(StunMessage.TryRead(Response4, out StunMessage four));
        Assert.True(four.TryGetMapped(out IPEndPoint? address));
        Assert.Equal(IPEndPoint.Parse("192.0.2.1:32853"), address);

        Assert.True(StunMessage.TryRead(Response6, out StunMessage six));
        Assert.True(six.TryGetMapped(out address));
        Assert.Equal(IPEndPoint.Parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"), address);
    }

    [Fact]
    public void One_changed_bit_is_noticed_by_the_fingerprint_or_by_the_shape()
    {
        for (int bit = 0; bit < Response4.Length * 8; bit++)
        {
            byte[] flipped = [.. Response4];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));

            // The type of the fingerprint may be hit, or a length before it that swallows it: then it has none, and the transaction id is all that proves it.
            Assert.False(StunMessage.TryRead(flipped, out StunMessage message) && message.TryGet(StunAttribute.Fingerprint, out _), $"bit {bit}");
        }
    }

    [Fact]
    public void Shorter_and_longer_messages_are_none_and_damaged_ones_never_throw()
    {
        foreach (byte[] vector in new[] { Request, Response4, Response6 })
        {
            for (int length = 0; length < vector.Length; length++)
            {
                Assert.False(StunMessage.TryRead(vector.AsSpan(0, length), out _), $"{length} bytes");
            }

            foreach (byte[] damaged in Damage.Of(vector))
            {
                ReadAll(damaged);
            }
        }

        Assert.False(StunMessage.TryRead([.. Response4, 0, 0, 0, 0], out _));
    }

    [Fact]
    public void Attributes_of_any_length_and_content_never_throw()
    {
        var random = new Random(5769);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] message = new byte[StunMessage.HeaderBytes + (random.Next(0, 24) * 4)];
            random.NextBytes(message);
            message[0] = 1;
            message[1] = (byte)(random.Next(2) == 0 ? 0x01 : 0x11);
            message[2] = 0;
            message[3] = (byte)(message.Length - StunMessage.HeaderBytes);
            Response4.AsSpan(4, 16).CopyTo(message.AsSpan(4));
            for (int at = StunMessage.HeaderBytes; at + 4 <= message.Length;)
            {
                int length = random.Next(0, 24);
                (message[at], message[at + 1], message[at + 2], message[at + 3]) = ((byte)(random.Next(2) * 0x80), (byte)new[] { 0x01, 0x09, 0x20, 0x23 }[random.Next(4)], 0, (byte)length);
                at += 4 + ((length + 3) & ~3);
            }

            ReadAll(message);
        }
    }

    [Fact]
    public void What_is_no_STUN_is_told_by_its_beginning()
    {
        Assert.True(StunMessage.IsLikely(Request));
        Assert.False(StunMessage.IsLikely(Request.AsSpan(0, 19)));
        byte[] mesh = [.. Request];
        mesh[0] = 0x40;
        Assert.False(StunMessage.IsLikely(mesh));
        byte[] old = [.. Request];
        old[4] = 0;
        Assert.False(StunMessage.IsLikely(old));
    }

    private static void ReadAll(byte[] bytes)
    {
        if (StunMessage.TryRead(bytes, out StunMessage message))
        {
            message.TryGetMapped(out _);
            message.TryGetAlternateServer(out _);
            message.ErrorCode();
            message.ErrorReason();
        }
    }
}
