using System.Buffers.Binary;
using System.Net;
using System.Text;
using AgentMesh.Protocol.Stun;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Stun;

public sealed class StunBindingTests
{
    private const string Reason = "Try Alternate";
    private static readonly IPEndPoint Server = IPEndPoint.Parse("198.51.100.1:3478");
    private static readonly IPEndPoint Other = IPEndPoint.Parse("198.51.100.2:3479");

    private readonly StunBinding _binding = new(Server, new SeededEntropy(1), TimeSpan.Zero);

    [Fact]
    public void Asks_seven_times_at_the_times_of_RFC_8489_and_gives_up_after_the_last_wait()
    {
        var sent = new List<double>();
        while (_binding.NextWakeUp is { } at)
        {
            if (_binding.TryTransmit(at, out ReadOnlySpan<byte> request))
            {
                sent.Add(at.TotalSeconds);
                Assert.True(StunMessage.TryRead(request, out StunMessage message));
                Assert.Equal(StunType.BindingRequest, message.Type);
                Assert.True(message.TryGet(StunAttribute.Fingerprint, out _));
            }
            else
            {
                Assert.Equal(39.5, at.TotalSeconds);
            }
        }

        Assert.Equal([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5], sent);
        Assert.Equal("no answer", _binding.Failure);
    }

    [Fact]
    public void An_answer_of_the_server_tells_the_address()
    {
        Assert.True(Handle(Answer(Asked(), "203.0.113.7:1234"), Server));

        Assert.Equal(IPEndPoint.Parse("203.0.113.7:1234"), _binding.Mapped);
        Assert.Null(_binding.NextWakeUp);
    }

    [Fact]
    public void Answers_of_others_and_to_other_questions_do_not_count()
    {
        StunTransactionId asked = Asked();

        Assert.False(Handle(Answer(asked, "203.0.113.7:1234"), Other));
        Assert.False(Handle(Answer(asked with { Low = asked.Low ^ 1 }, "203.0.113.7:1234"), Server));
        Assert.Null(_binding.Mapped);
    }

    [Theory]
    [InlineData("0.0.0.0:1234")]
    [InlineData("224.0.0.1:1234")]
    [InlineData("127.0.0.1:1234")]
    [InlineData("203.0.113.7:0")]
    public void An_address_that_nobody_can_have_is_a_failure(string address)
    {
        Assert.True(Handle(Answer(Asked(), address), Server));

        Assert.Null(_binding.Mapped);
        Assert.Equal("its answer names no address", _binding.Failure);
    }

    [Fact]
    public void A_server_that_redirects_is_followed_twice()
    {
        Assert.True(Handle(Error(Asked(), 300, Other), Server));
        Assert.Equal(Other, _binding.Server);
        Assert.True(Handle(Error(Asked(), 300, Server), Other));
        Assert.Equal(Server, _binding.Server);
        Assert.True(Handle(Error(Asked(), 300, Other), Server));

        Assert.Equal($"it answered with error 300 {Reason}", _binding.Failure);
    }

    [Fact]
    public void Nobody_is_redirected_to_this_machine_or_to_a_group()
    {
        Assert.True(Handle(Error(Asked(), 300, IPEndPoint.Parse("127.0.0.1:53")), Server));

        Assert.StartsWith("it answered with error 300", _binding.Failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 2.2.2.2:2", "1.1.1.1:1")]
    [InlineData("1.1.1.1:1 1.1.1.1:2 1.1.1.1:3", "1.1.1.1:1 1.1.1.1:2 1.1.1.1:3")]
    [InlineData("2.2.2.2:2 1.1.1.1:1 1.1.1.1:1", "1.1.1.1:1 2.2.2.2:2")]
    [InlineData("1.1.1.1:1 1.1.1.1:1 1.1.1.1:1 [2001:db8::1]:1", "1.1.1.1:1 [2001:db8::1]:1")]
    [InlineData("1.1.1.1:1", "1.1.1.1:1")]
    [InlineData("", "")]
    public void Three_observers_that_agree_are_believed(string seen, string believed) =>
        Assert.Equal(believed, string.Join(' ', ObserverVotes.Weigh(seen.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPEndPoint.Parse))));

    private StunTransactionId Asked()
    {
        Assert.True(_binding.TryTransmit(_binding.NextWakeUp!.Value, out ReadOnlySpan<byte> request));
        Assert.True(StunMessage.TryRead(request, out StunMessage message));
        return message.Transaction;
    }

    private bool Handle(byte[] datagram, IPEndPoint from)
    {
        Assert.True(StunMessage.TryRead(datagram, out StunMessage message));
        return _binding.Handle(message, from, TimeSpan.Zero);
    }

    private static byte[] Answer(StunTransactionId transaction, string address)
    {
        byte[] value = Address(IPEndPoint.Parse(address));
        value[2] ^= 0x21;
        value[3] ^= 0x12;
        for (int i = 0; i < 4; i++)
        {
            value[4 + i] ^= (byte)(StunMessage.MagicCookie >> (24 - (8 * i)));
        }

        return Message(0x0101, transaction, Attribute(0x0020, value));
    }

    private static byte[] Error(StunTransactionId transaction, int code, IPEndPoint other) =>
        Message(0x0111, transaction, [.. Attribute(0x0009, [0, 0, (byte)(code / 100), (byte)(code % 100), .. Encoding.ASCII.GetBytes(Reason + "\u001b")]), .. Attribute(0x8023, Address(other))]);

    private static byte[] Address(IPEndPoint address) => [0, 1, (byte)(address.Port >> 8), (byte)address.Port, .. address.Address.GetAddressBytes()];

    private static byte[] Attribute(int type, byte[] value) => [(byte)(type >> 8), (byte)type, 0, (byte)value.Length, .. value, .. new byte[-value.Length & 3]];

    private static byte[] Message(ushort type, StunTransactionId transaction, byte[] attributes)
    {
        byte[] message = new byte[StunMessage.HeaderBytes + attributes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(message, type);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)attributes.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), StunMessage.MagicCookie);
        transaction.Write(message.AsSpan(8));
        attributes.CopyTo(message, StunMessage.HeaderBytes);
        return message;
    }
}
