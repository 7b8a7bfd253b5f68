using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery.Dht;

public sealed class DhtTests
{
    private static readonly DeviceIdentity Publisher = DeviceIdentity.Create(new SeededEntropy(1)), Reader = DeviceIdentity.Create(new SeededEntropy(2)), Other = DeviceIdentity.Create(new SeededEntropy(3));
    private static readonly IPEndPoint[] Places = [IPEndPoint.Parse("192.0.2.7:14590"), IPEndPoint.Parse("[2001:db8::7]:14591")];

    [Theory]
    [InlineData("i42e")]
    [InlineData("i-7e")]
    [InlineData("0:")]
    [InlineData("4:spam")]
    [InlineData("l4:spami0ee")]
    [InlineData("d3:cow3:moo4:spamld1:ai1eeee")]
    public void Bencode_is_written_as_it_was_read(string text) => Assert.Equal(text, Encoding.Latin1.GetString(Bencode.Write(Bencode.TryRead(Encoding.Latin1.GetBytes(text))!)));

    [Theory]
    [InlineData("")]
    [InlineData("i042e")]
    [InlineData("i-0e")]
    [InlineData("ie")]
    [InlineData("i4")]
    [InlineData("5:spam")]
    [InlineData("-1:")]
    [InlineData("99999999999999999999:")]
    [InlineData("i99999999999999999999e")]
    [InlineData("l")]
    [InlineData("d1:a")]
    [InlineData("d1:ai1e1:ai2ee")]
    [InlineData("di1ei1ee")]
    [InlineData("i1ei2e")]
    public void Bytes_that_are_no_bencode_are_refused(string text) => Assert.Null(Bencode.TryRead(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Depth_and_number_of_values_are_bounded()
    {
        Assert.Null(Bencode.TryRead(Encoding.ASCII.GetBytes(new string('l', 100_000))));
        Assert.Null(Bencode.TryRead(Encoding.ASCII.GetBytes(new string('l', 10) + new string('e', 10))));
        Assert.Null(Bencode.TryRead(Encoding.ASCII.GetBytes($"l{string.Concat(Enumerable.Repeat("0:", 600))}e")));
    }

    /// <summary>The first test vector of BEP 44, whose expanded secret key needs another way to sign: what is signed and the place are the same.</summary>
    [Fact]
    public void An_item_of_the_standard_is_right()
    {
        var item = new DhtItem(
            Convert.FromHexString("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"), 1, "Hello World!"u8.ToArray(),
            Convert.FromHexString("305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"));
        Assert.True(item.IsRight);
        Assert.Equal("4a533d47ec9c7d95b1ad75f576cffc641853b750", item.Target.ToString());
        Assert.False((item with { Sequence = 2 }).IsRight);
    }

    [Fact]
    public void Only_the_other_device_of_a_pair_finds_and_reads_what_is_said_to_it()
    {
        DhtItem item = Record(Publisher, Reader, isOwn: true).Seal(Places, 5);
        Assert.Equal(Record(Reader, Publisher, isOwn: false).Target, item.Target);
        Assert.Equal(Places, Record(Reader, Publisher, isOwn: false).TryOpen(item));

        Assert.Null(Record(Other, Publisher, isOwn: false).TryOpen(item));
        Assert.Null(Record(Reader, Publisher, isOwn: true).TryOpen(item));
        Assert.Null(Record(Reader, Publisher, isOwn: false, day: 2).TryOpen(item));
        Assert.Null(Record(Reader, Publisher, isOwn: false).TryOpen(item with { Sequence = 6 }));
        Assert.Equal(item.Value.Length, Record(Publisher, Reader, isOwn: true).Seal([], 5).Value.Length);
        Assert.DoesNotContain(Convert.ToHexString(Publisher.PublicKey.Span), Convert.ToHexString([.. item.Key, .. item.Value]), StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_items_and_replies_are_refused_and_never_throw()
    {
        var net = new TestDht(8, seed: 1);
        byte[] reply = net.Reply(net.Nodes[0], 7, Record(Publisher, Reader, isOwn: true).Seal(Places, 5));
        Assert.NotNull(DhtReply.TryRead(reply)!.Item);
        for (int length = 0; length < reply.Length; length++)
        {
            Assert.Null(DhtReply.TryRead(reply.AsSpan(0, length)));
        }

        for (int bit = 0; bit < reply.Length * 8; bit++)
        {
            reply[bit / 8] ^= (byte)(1 << (bit % 8));
            _ = DhtReply.TryRead(reply)?.Nodes.Count;
            reply[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        var random = new Random(3);
        byte[] noise = new byte[300];
        for (int i = 0; i < 50_000; i++)
        {
            int length = random.Next(noise.Length);
            for (int at = 0; at < length; at++)
            {
                noise[at] = "dli0123456789e:trya"u8[random.Next(19)];
            }

            _ = DhtReply.TryRead(noise.AsSpan(0, length));
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.2)]
    [InlineData(3, 0.4)]
    public void What_one_device_puts_another_one_finds_among_hundreds_of_nodes(int seed, double loss)
    {
        var net = new TestDht(300, seed) { Loss = loss };
        DhtItem item = Record(Publisher, Reader, isOwn: true).Seal(Places, 5);
        DhtSearch put = net.Run(item.Target, item, new DhtNodes());
        Assert.InRange(put.Stored, 1, 8);
        DhtSearch found = net.Run(item.Target, null, new DhtNodes());
        Assert.Equal(Places, Record(Reader, Publisher, isOwn: false).TryOpen(found.Found!));
    }

    [Fact]
    public void What_one_device_puts_another_one_finds_among_nodes_of_IPv6()
    {
        var net = new TestDht(200, seed: 7, AddressFamily.InterNetworkV6) { Loss = 0.1 };
        DhtItem item = Record(Publisher, Reader, isOwn: true).Seal(Places, 5);
        DhtSearch put = net.Run(item.Target, item, new DhtNodes());
        Assert.InRange(put.Stored, 4, 8);
        Assert.Equal(Places, Record(Reader, Publisher, isOwn: false).TryOpen(net.Run(item.Target, null, new DhtNodes()).Found!));
        Assert.Empty(put.OthersNamed);
    }

    /// <summary>Bytes as BEP 5, 32, 43 and 44 say them, written by hand.</summary>
    [Fact]
    public void A_question_asks_for_nodes_of_both_families() => Assert.Equal(
        "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa6:target20:bbbbbbbbbbbbbbbbbbbb4:wantl2:n42:n6ee1:q3:get2:roi1e1:t8:ABCDEFGH1:y1:qe",
        Encoding.Latin1.GetString(DhtReply.Get(0x4142434445464748, new DhtId("aaaaaaaaaaaaaaaaaaaa"u8), new DhtId("bbbbbbbbbbbbbbbbbbbb"u8))));

    [Fact]
    public void An_answer_names_nodes_of_both_families_and_those_that_nobody_can_send_to_are_left_out()
    {
        byte[] id = Encoding.ASCII.GetBytes("cccccccccccccccccccc");
        byte[] four = [.. id, 192, 0, 2, 9, 0x1A, 0xE1, .. id, 192, 0, 2, 10, 0, 0];
        byte[] six = [.. Compact6("2001:db8::9"), .. Compact6("::ffff:192.0.2.9"), .. Compact6("fe80::1"), .. Compact6("ff02::1"), .. Compact6("::"), .. Compact6("2001:db8::a")[..37]];
        byte[] bytes = [.. Encoding.ASCII.GetBytes("d1:rd2:id20:cccccccccccccccccccc5:nodes52:"), .. four, .. Encoding.ASCII.GetBytes($"6:nodes6{six.Length}:"), .. six, .. Encoding.ASCII.GetBytes("e1:t8:ABCDEFGH1:y1:re")];

        DhtReply reply = DhtReply.TryRead(bytes)!;
        Assert.Equal([new DhtNode(new DhtId(id), IPEndPoint.Parse("192.0.2.9:6881"))], reply.Nodes);
        Assert.Equal([new DhtNode(new DhtId(id), IPEndPoint.Parse("[2001:db8::9]:6881"))], reply.Nodes6);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(DhtReply.TryRead(bytes.AsSpan(0, length)));
        }

        byte[] Compact6(string address) => [.. id, .. IPAddress.Parse(address).GetAddressBytes(), 0x1A, 0xE1];
    }

    [Fact]
    public void A_search_asks_nobody_of_the_other_family_and_names_them_bounded()
    {
        var search = new DhtSearch(default, Record(Publisher, Reader, isOwn: true).Target, null, new DhtNodes(), [IPEndPoint.Parse("[2001:db8::1]:1")], new SeededEntropy(1), TimeSpan.Zero, AddressFamily.InterNetworkV6);
        for (int round = 0; round < 3 && search.TryTransmit(out (IPEndPoint To, byte[] Bytes) sent); round++)
        {
            Assert.Equal(AddressFamily.InterNetworkV6, sent.To.AddressFamily);
            DhtNode[] four = [.. Enumerable.Range(0, 30).Select(i => new DhtNode(new DhtId(new byte[20]), new IPEndPoint(0x0200C0 + ((long)i << 24), 1)))];
            Assert.True(search.Handle(new DhtReply(TestDht.NumberOf(sent.Bytes), new DhtId(new byte[20]), four, [new DhtNode(new DhtId(new byte[20]), IPEndPoint.Parse($"[2001:db8::2{round}]:1"))], null, null), sent.To, TimeSpan.Zero));
        }

        Assert.Equal(DhtHints.NamedMax, search.OthersNamed.Count);
        var hints = new DhtHints([IPEndPoint.Parse("192.0.2.1:1")]);
        hints.Add([.. Enumerable.Range(1, 500).Select(i => new DhtNode(default, new IPEndPoint(i, 1)))]);
        Assert.Equal((1 + DhtHints.NamedMax, 192), (hints.All.Count(), hints.All.First().Address.GetAddressBytes()[0]));
    }

    [Fact]
    public void The_newest_item_counts_and_one_of_another_key_does_not()
    {
        var net = new TestDht(50, seed: 4);
        DhtRecord record = Record(Publisher, Reader, isOwn: true);
        net.Run(record.Target, record.Seal(Places[..1], 5), new DhtNodes());
        net.Run(record.Target, record.Seal(Places, 9), new DhtNodes());
        net.Lie = Record(Publisher, Other, isOwn: true).Seal(Places, 100);
        Assert.Equal(9, net.Run(record.Target, null, new DhtNodes()).Found!.Sequence);
    }

    [Theory]
    [InlineData("another signature")]
    [InlineData("another sequence")]
    [InlineData("another place")]
    [InlineData("too long")]
    [InlineData("no value")]
    public void Malformed_values_are_counted_and_what_was_said_is_found_all_the_same(string what)
    {
        var net = new TestDht(50, seed: 6);
        DhtItem good = Record(Publisher, Reader, isOwn: true).Seal(Places, 9);
        net.Run(good.Target, good, new DhtNodes());
        net.Lie = what switch
        {
            "another signature" => good with { Signature = new byte[64] },
            "another sequence" => good with { Sequence = 100 },
            "another place" => Record(Publisher, Other, isOwn: true).Seal(Places, 100),
            "too long" => good with { Sequence = 100, Value = new byte[DhtItem.ValueBytesMax + 1] },
            _ => good with { Sequence = -1, Value = [] },
        };

        DhtSearch search = net.Run(good.Target, null, new DhtNodes());

        Assert.True(search.BadItems > 0);
        Assert.Equal(9, search.Found!.Sequence);
    }

    [Fact]
    public void A_value_of_another_length_or_that_was_altered_says_nothing()
    {
        DhtItem item = Record(Publisher, Reader, isOwn: true).Seal(Places, 5);
        DhtRecord reader = Record(Reader, Publisher, isOwn: false);
        Assert.Null(reader.TryOpen(item with { Value = item.Value[..^1] }));
        Assert.Null(reader.TryOpen(item with { Value = [.. item.Value, 0] }));
        Assert.Null(reader.TryOpen(item with { Value = [] }));
        for (int at = 0; at < item.Value.Length; at++)
        {
            byte[] value = [.. item.Value];
            value[at] ^= 1;
            Assert.Null(reader.TryOpen(item with { Value = value }));
        }
    }

    [Fact]
    public void A_node_that_names_others_without_end_holds_a_search_up_for_a_bounded_time()
    {
        var net = new TestDht(20, seed: 5) { Floods = true };
        DhtSearch search = net.Run(Record(Publisher, Reader, isOwn: true).Target, null, new DhtNodes());
        Assert.Null(search.Found);
        Assert.InRange(net.Sent, 1, 96);
        Assert.True(net.Elapsed < TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void Answers_from_elsewhere_and_to_other_questions_are_ignored()
    {
        var net = new TestDht(4, seed: 6);
        var search = new DhtSearch(default, Record(Publisher, Reader, isOwn: true).Target, null, new DhtNodes(), [net.Nodes[0].At], new SeededEntropy(1), TimeSpan.Zero);
        Assert.True(search.TryTransmit(out (IPEndPoint To, byte[] Bytes) sent));
        ulong number = TestDht.NumberOf(sent.Bytes);
        Assert.False(search.Handle(DhtReply.TryRead(net.Reply(net.Nodes[0], number, null))!, net.Nodes[1].At, TimeSpan.Zero));
        Assert.False(search.Handle(DhtReply.TryRead(net.Reply(net.Nodes[0], number + 1, null))!, net.Nodes[0].At, TimeSpan.Zero));
        Assert.True(search.Handle(DhtReply.TryRead(net.Reply(net.Nodes[0], number, null))!, net.Nodes[0].At, TimeSpan.Zero));
    }

    [Fact]
    public void Nodes_that_are_remembered_are_bounded()
    {
        var nodes = new DhtNodes();
        for (int i = 0; i < 1_000; i++)
        {
            nodes.Answered(new DhtNode(default, new IPEndPoint(IPAddress.Loopback, 1 + i)));
        }

        Assert.Equal(DhtNodes.Most, nodes.Count);
    }

    private static DhtRecord Record(DeviceIdentity own, DeviceIdentity other, bool isOwn, long day = 1) => DhtRecord.TryCreate(own, other.PublicKey, isOwn, day)!;
}
