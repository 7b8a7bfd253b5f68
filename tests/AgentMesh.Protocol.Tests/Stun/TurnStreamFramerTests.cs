using System.Buffers.Binary;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Stun.Turn;

namespace AgentMesh.Protocol.Tests.Stun;

/// <summary>Messages of a TURN server on a stream, however it is cut.</summary>
public sealed class TurnStreamFramerTests
{
    private static readonly byte[] Answer = Stun(0x0103, 36);

    // RFC 8656, section 12.5: the length leaves the padding out.
    private static readonly byte[] Data = [0x40, 0x01, 0x00, 0x05, .. "hello"u8];

    private static readonly byte[] Indication = Stun(0x0017, 8);

    private static byte[] Stream => [.. Answer, .. Data, 0, 0, 0, .. Data, 0xFF, 0xFF, 0xFF, .. Indication, 0x40, 0x02, 0, 0];

    private static byte[][] Messages => [Answer, Data, Data, Indication, [0x40, 0x02, 0, 0]];

    [Fact]
    public void Messages_come_out_as_they_were_wherever_the_stream_is_cut_in_two()
    {
        for (int cut = 0; cut <= Stream.Length; cut++)
        {
            Assert.Equal(Messages, Read(out _, Stream[..cut], Stream[cut..]));
        }
    }

    [Fact]
    public void Messages_come_out_one_byte_at_a_time() => Assert.Equal(Messages, Read(out _, [.. Stream.Select(each => new[] { each })]));

    [Fact]
    public void Of_a_stream_that_ends_anywhere_only_whole_messages_come_out()
    {
        for (int end = 0; end < Stream.Length; end++)
        {
            byte[][] read = Read(out TurnStreamFramer framer, Stream[..end]);
            Assert.False(framer.IsBroken);
            Assert.Equal(Messages.Take(read.Length), read);
            Assert.True(read.Sum(message => message.Length) <= end);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Many_messages_in_pieces_of_any_size_come_out_in_order(int seed)
    {
        var random = new Random(seed);
        byte[][] sent = [.. Enumerable.Range(0, 400).Select(_ => random.Next(3) == 0 ? Stun(0x0017, 4 * random.Next(400)) : Channel(random))];
        byte[] stream = [.. sent.SelectMany(message => message.Concat(new byte[TurnStreamFramer.PaddingOf(message)]))];
        var pieces = new List<byte[]>();
        for (int at = 0; at < stream.Length; at += pieces[^1].Length)
        {
            pieces.Add(stream[at..Math.Min(stream.Length, at + random.Next(1, 5_000))]);
        }

        Assert.Equal(sent, Read(out _, [.. pieces]));
    }

    [Fact]
    public void What_is_longer_than_a_datagram_is_passed_over_and_the_rest_goes_on()
    {
        byte[] longest = [0x4F, 0xFF, 0xFF, 0xFF, .. new byte[65_536]], stun = Stun(0x0017, 65_532);
        byte[] fits = [0x40, 0x00, 0x07, 0xFC, .. new byte[2_044]], tooLong = [0x40, 0x00, 0x07, 0xFD, .. new byte[2_048]];

        byte[][] read = Read(out TurnStreamFramer framer, [.. longest, .. Answer, .. stun, .. fits, .. tooLong, .. Answer]);

        Assert.Equal([Answer, fits, Answer], read);
        Assert.Equal(3, framer.PassedOver);
    }

    [Theory]
    [InlineData("15030300020228")] // a TLS alert
    [InlineData("80000000")]
    [InlineData("50000004")] // beyond the channels
    [InlineData("3FFFFFFF")] // a length that is no multiple of four
    [InlineData("010300242112A443")] // another cookie
    public void Bytes_that_are_no_message_end_it_for_good(string hex)
    {
        Assert.Empty(Read(out TurnStreamFramer framer, Convert.FromHexString(hex), Answer));
        Assert.True(framer.IsBroken);
    }

    [Fact]
    public void Random_bytes_never_throw_and_never_give_more_than_the_bound()
    {
        for (int seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = new byte[random.Next(1, 6_000)];
            random.NextBytes(bytes);
            bytes[0] = (byte)(bytes[0] & 0x4F);
            Assert.All(Read(out _, bytes), message => Assert.InRange(message.Length, TurnChannelData.HeaderBytes, TurnStreamFramer.MessageBytesMax));
        }
    }

    private static byte[] Channel(Random random)
    {
        byte[] message = new byte[TurnChannelData.HeaderBytes + random.Next(1_500)];
        TurnChannelData.Write(message, (ushort)(TurnChannelData.First + random.Next(64)), new byte[message.Length - TurnChannelData.HeaderBytes]);
        return message;
    }

    private static byte[] Stun(ushort type, int length)
    {
        byte[] message = new byte[StunMessage.HeaderBytes + length];
        BinaryPrimitives.WriteUInt16BigEndian(message, type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), StunMessage.MagicCookie);
        return message;
    }

    private static byte[][] Read(out TurnStreamFramer framer, params byte[][] pieces)
    {
        framer = new TurnStreamFramer();
        var read = new List<byte[]>();
        foreach (byte[] piece in pieces)
        {
            for (int at = 0; at < piece.Length && !framer.IsBroken;)
            {
                Memory<byte> free = framer.Free;
                Assert.False(free.IsEmpty);
                int count = Math.Min(free.Length, piece.Length - at);
                piece.AsMemory(at, count).CopyTo(free);
                framer.Received(count);
                at += count;
                while (framer.TryRead(out Span<byte> message))
                {
                    read.Add(message.ToArray());
                }
            }
        }

        return [.. read];
    }
}
