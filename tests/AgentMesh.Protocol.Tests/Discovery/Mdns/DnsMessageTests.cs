using System.Net;
using AgentMesh.Protocol.Discovery.Mdns;

namespace AgentMesh.Protocol.Tests.Discovery.Mdns;

public sealed class DnsMessageTests
{
    private const string Instance = "0123456789abcdef0123._agentmesh._udp.local";

    private static readonly DnsRecord[] Records =
    [
        DnsRecord.Pointer(MdnsNames.ServiceType, 4500, Instance),
        DnsRecord.Service(Instance, 120, 14590, "agentmesh-x.local"),
        DnsRecord.Text(Instance, 4500, ["v=1"u8.ToArray()]),
        DnsRecord.Address("agentmesh-x.local", 120, IPAddress.Parse("192.0.2.7")),
        DnsRecord.Address("agentmesh-x.local", 120, IPAddress.Parse("fe80::1")),
    ];

    /// <summary>As RFC 1035 lays it out, written by hand.</summary>
    [Fact]
    public void A_question_has_the_bytes_of_the_standard()
    {
        byte[] bytes = DnsWriter.Query([new DnsQuestion(MdnsNames.ServiceType, DnsType.Ptr, WantsUnicast: true)], [], []);
        Assert.Equal("000000000001000000000000" + "0a5f6167656e746d657368" + "045f756470" + "056c6f63616c" + "00" + "000c" + "8001", Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        DnsMessage read = DnsMessage.TryRead(DnsWriter.Answer(Records[..1], Records[1..]))!;
        Assert.True(read.IsResponse);
        Assert.Equal(Records.Select(record => (record.Name, record.Type, record.IsUnique, record.Seconds, Convert.ToHexString(record.Data), record.Target, record.Port)),
            read.Records.Select(record => (record.Name, record.Type, record.IsUnique, record.Seconds, Convert.ToHexString(record.Data), record.Target, record.Port)));
        DnsMessage legacy = DnsMessage.TryRead(DnsWriter.LegacyAnswer(77, [new DnsQuestion(Instance, DnsType.Srv, false)], Records[1..2], []))!;
        Assert.Equal((77, 10u, false), (legacy.Id, legacy.Answers[0].Seconds, legacy.Answers[0].IsUnique));
    }

    [Fact]
    public void Names_that_refer_back_are_followed_and_capitals_do_not_matter()
    {
        // Question "LOCAL.", then "b.LOCAL" by a pointer, then a PTR to "a.b.LOCAL" by a pointer to a pointer.
        byte[] bytes = Convert.FromHexString("000084000001000200000000" + "054c4f43414c00" + "000c0001" + "0162c00c" + "00010001" + "00000078" + "0004" + "c0000207" + "c017" + "000c0001" + "00000078" + "0004" + "0161c017");
        DnsMessage read = DnsMessage.TryRead(bytes)!;
        Assert.Equal("local", read.Questions[0].Name);
        Assert.Equal(("b.local", DnsType.A), (read.Answers[0].Name, read.Answers[0].Type));
        Assert.Equal(("b.local", "a.b.local"), (read.Answers[1].Name, read.Answers[1].Target));
        Assert.Equal("016101620" + "56c6f63616c00", Convert.ToHexStringLower(read.Answers[1].Data));
    }

    [Theory]
    [InlineData("c00c")] // itself
    [InlineData("c00e")] // forward
    [InlineData("c000")] // into the header
    [InlineData("0161c00c")] // a loop with a label in it
    [InlineData("c0")] // cut
    [InlineData("4061")] // a kind of label that is not in use
    [InlineData("3f61")] // longer than what is left
    public void A_name_that_leads_nowhere_is_refused(string name) =>
        Assert.Null(DnsMessage.TryRead(Convert.FromHexString("000000000001000000000000" + name + "000c0001")));

    [Fact]
    public void A_name_of_more_than_255_bytes_is_refused_however_it_is_put_together()
    {
        string label = "3f" + string.Concat(Enumerable.Repeat("61", 63));
        string four = string.Concat(Enumerable.Repeat(label, 4));
        Assert.Null(DnsMessage.TryRead(Convert.FromHexString("000000000001000000000000" + four + "00" + "000c0001")));
        string three = string.Concat(Enumerable.Repeat(label, 3));
        Assert.NotNull(DnsMessage.TryRead(Convert.FromHexString("000000000001000000000000" + three + "00" + "000c0001")));
        Assert.Null(DnsMessage.TryRead(Convert.FromHexString("000000000002000000000000" + three + "00" + "000c0001" + label + "c00c" + "000c0001")));
    }

    [Fact]
    public void Counts_beyond_the_bounds_are_refused_before_anything_is_read()
    {
        Assert.Null(DnsMessage.TryRead([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, .. new byte[8_000]]));
        Assert.Null(DnsMessage.TryRead([0, 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, .. new byte[1_000]]));
        Assert.Null(DnsMessage.TryRead(new byte[DnsMessage.BytesMax + 1]));
    }

    [Fact]
    public void Truncated_messages_are_refused_at_every_byte_and_flipped_bits_never_throw()
    {
        byte[] bytes = DnsWriter.Answer(Records[..1], Records[1..]);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(DnsMessage.TryRead(bytes.AsSpan(0, length)));
        }

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            _ = DnsMessage.TryRead(bytes)?.Records.Count();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Noise_never_throws_and_takes_bounded_time()
    {
        var random = new Random(5);
        byte[] noise = new byte[600];
        for (int i = 0; i < 100_000; i++)
        {
            int length = random.Next(noise.Length);
            random.NextBytes(noise.AsSpan(0, length));
            if (length > 12)
            {
                new byte[] { 0, 0, (byte)(random.Next(2) * 0x84), 0, 0, (byte)random.Next(4), 0, (byte)random.Next(4), 0, (byte)random.Next(4), 0, (byte)random.Next(4) }.CopyTo(noise, 0);
                for (int pointers = random.Next(20); pointers > 0; pointers--)
                {
                    noise[random.Next(12, length)] = (byte)(random.Next(2) == 0 ? 0xc0 : random.Next(6));
                }
            }

            _ = DnsMessage.TryRead(noise.AsSpan(0, length))?.Questions.Count;
        }
    }
}
