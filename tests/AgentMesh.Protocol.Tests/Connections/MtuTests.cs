using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

public sealed class MtuTests(ITestOutputHelper output)
{
    private const int Ipv4Headers = 28;

    [Theory]
    [InlineData(576, 548)]
    [InlineData(1124, 1096)]
    [InlineData(1280, 1252)]
    [InlineData(1452, 1412)]
    [InlineData(1500, 1472)]
    [InlineData(9000, 8972)]
    [InlineData(65_535, MtuSettings.SearchMax)]
    public void A_link_is_used_as_far_as_it_carries(int mtu, int expected)
    {
        using Pair pair = PairOver(mtu, seed: mtu);
        pair.Run(5_000);

        Assert.Equal(expected, pair.A.Connection.Path.DatagramBytes);
        Assert.Equal(expected, pair.B.Connection.Path.DatagramBytes);
    }

    [Theory]
    [InlineData(576)]
    [InlineData(1124)]
    [InlineData(1280)]
    [InlineData(1452)]
    [InlineData(1500)]
    [InlineData(9000)]
    public void A_mebibyte_that_is_sent_at_once_arrives_whole_over_any_link_with_and_without_losses(int mtu)
    {
        for (int seed = 1; seed <= 12; seed++)
        {
            double loss = seed % 3 == 0 ? 0.03 : 0;
            using Pair pair = PairOver(mtu, seed, loss);
            ProtocolStream stream = pair.A.SendNew(1 << 20, StreamClass.Bulk);
            pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(60), $"MTU {mtu}, loss {loss}");
            output.WriteLine($"MTU {mtu}, loss {loss}, seed {seed}: {pair.Elapsed.TotalMilliseconds:0} ms, datagrams of {pair.A.Connection.Path.DatagramBytes}");
            Assert.True(loss > 0 || pair.Elapsed < TimeSpan.FromSeconds(10), pair.Describe($"MTU {mtu}"));
        }
    }

    [Theory]
    [InlineData(9000, 1500, 1472)]
    [InlineData(9000, 576, 548)]
    [InlineData(1500, 1280, 1252)]
    [InlineData(1500, 1124, 1096)]
    [InlineData(1280, 576, 548)]
    public void A_link_that_carries_less_all_of_a_sudden_stops_nothing_for_long(int before, int after, int expected)
    {
        for (int seed = 1; seed <= 8; seed++)
        {
            using Pair pair = PairOver(before, seed);
            ProtocolStream stream = pair.A.SendNew(30 << 20, StreamClass.Bulk);
            pair.Run(1_000 + (37 * seed));
            ulong read = pair.B.ReadingOf(stream).Bytes;
            Assert.InRange(read, 1UL << 20, 29UL << 20);
            pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Mtu = after - Ipv4Headers };
            pair.B.Outgoing.Settings = pair.B.Outgoing.Settings with { Mtu = after - Ipv4Headers };
            TimeSpan changed = pair.Now;

            pair.Until(() => pair.B.ReadingOf(stream).Bytes > read + (1 << 20), TimeSpan.FromSeconds(5));
            output.WriteLine($"{before} to {after}, seed {seed}: on again after {(pair.Now - changed).TotalMilliseconds:0} ms");
            pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(120));
            pair.Run(5_000);
            Assert.Equal(expected, pair.A.Connection.Path.DatagramBytes);
        }
    }

    [Theory]
    [InlineData(1500, 1124)]
    [InlineData(1500, 576)]
    [InlineData(9000, 1280)]
    [InlineData(1280, 576)]
    public void The_first_probe_timeout_shows_that_only_what_is_short_arrives(int before, int after)
    {
        for (int seed = 1; seed <= 8; seed++)
        {
            using Pair pair = PairOver(before, seed);
            ProtocolStream stream = pair.A.SendNew(20 << 20, StreamClass.Bulk);
            pair.Run(1_000 + (37 * seed));
            ulong read = pair.B.ReadingOf(stream).Bytes;
            pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Mtu = after - Ipv4Headers };
            Connection a = pair.A.Connection;
            pair.Run(2 * a.Path.Rtt.Smoothed); // what is under way arrives
            ulong arrived = pair.B.ReadingOf(stream).Bytes;
            TimeSpan once = a.Path.Loss.BackedOff(TimeSpan.FromMilliseconds(4)) + (3 * a.Path.Rtt.Smoothed), start = pair.Now;

            pair.Until(() => pair.B.ReadingOf(stream).Bytes > arrived, TimeSpan.FromSeconds(5));
            Assert.True(pair.Now - start <= once, $"{before} to {after}, seed {seed}: {(pair.Now - start).TotalMilliseconds:0} ms, not {once.TotalMilliseconds:0}");
            pair.Until(() => pair.B.ReadingOf(stream).Bytes > arrived + 200_000, TimeSpan.FromSeconds(5));
            Assert.True(pair.Now - start <= (6 * once) + TimeSpan.FromSeconds(0.5), $"{before} to {after}, seed {seed}: {(pair.Now - start).TotalMilliseconds:0} ms for the next 200 kB");
        }
    }

    [Fact]
    public void Small_messages_show_no_hole_and_what_is_long_behind_them_finds_it()
    {
        using Pair pair = PairOver(1500, seed: 1);
        pair.Run(5_000);
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Mtu = 1124 - Ipv4Headers };
        ProtocolStream small = pair.A.Open(StreamClass.Control), large = pair.A.SendNew(100_000, StreamClass.Bulk);
        TimeSpan until = pair.Now + TimeSpan.FromSeconds(3);
        while (pair.Now < until)
        {
            pair.A.Send(small, 50, finish: false);
            pair.Run(20);
        }

        Assert.True(pair.B.ReadingOf(large).Ended, pair.Describe("the large stream is held up by the small one"));
    }

    [Fact]
    public void Probes_that_are_lost_are_no_sign_of_congestion()
    {
        using Pair pair = PairOver(1500, seed: 1);
        pair.A.SendNew(20_000);
        pair.Run(5_000);

        Assert.True(pair.A.Outgoing.Lost > 0);
        Assert.Equal(0, pair.A.Connection.Path.Loss.PacketsLost);
        Assert.True(pair.A.Connection.Path.Congestion.IsProbing);
        Assert.True(pair.A.Connection.Path.Congestion.Window >= 10 * MtuSettings.Base);
    }

    [Fact]
    public void A_search_ends_and_is_made_again_after_ten_minutes()
    {
        using Pair pair = PairOver(1280, seed: 1);
        pair.A.Send(pair.A.Open(), 10, finish: false);
        pair.Run(20_000);
        Assert.Equal(1252, pair.A.Connection.Path.DatagramBytes);
        long sent = pair.A.Outgoing.EnteredBytes;
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Mtu = 1500 - Ipv4Headers };

        pair.Run(TimeSpan.FromMinutes(8));
        Assert.Equal(1252, pair.A.Connection.Path.DatagramBytes);
        Assert.True(pair.A.Outgoing.EnteredBytes - sent < 20_000, pair.Describe("it goes on and on"));
        pair.Run(TimeSpan.FromMinutes(3));
        Assert.Equal(1472, pair.A.Connection.Path.DatagramBytes);
    }

    [Fact]
    public void Nothing_longer_than_the_other_side_takes_is_tried()
    {
        using var pair = new Pair(new PairSettings { Mtu = new MtuSettings(), B = new ConnectionSettings { DatagramBytesMax = 1300 } });
        int longest = 0;
        pair.A.Outgoing.Drops = datagram => (longest = Math.Max(longest, datagram.Length)) < 0;
        pair.A.SendNew(100_000);
        pair.Run(5_000);

        Assert.Equal(1300, longest);
        Assert.Equal(1300, pair.A.Connection.Path.DatagramBytes);
    }

    [Fact]
    public void What_the_system_refuses_as_too_long_is_sent_shorter_at_once()
    {
        using Pair pair = PairOver(65_535, seed: 1);
        pair.Run(2_000);
        Connection a = pair.A.Connection;
        Assert.Equal(MtuSettings.SearchMax, a.Path.DatagramBytes);
        ProtocolStream stream = pair.A.Open();
        byte[] data = new byte[60_000], buffer = new byte[65_507];
        TestData.Fill(stream.Id.Value, 0, data);
        pair.A.Streams.Write(stream, data);
        pair.A.Streams.Finish(stream);
        int refused = 0, length, each;
        long lost = a.Path.Loss.PacketsLost;
        while ((length = a.PollTransmits(buffer, 64, pair.Now, out each)) > 0)
        {
            if (each > 548)
            {
                refused++;
                a.HandleTooLong(pair.Now);
                continue;
            }

            for (int at = 0; at < length; at += each)
            {
                pair.A.Outgoing.Send(buffer.AsSpan(at, Math.Min(each, length - at)), pair.Now);
            }
        }

        Assert.InRange(refused, 2, 10);
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Mtu = 548 };
        pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromMilliseconds(500));
        Assert.Equal(lost, a.Path.Loss.PacketsLost);
    }

    private static Pair PairOver(int mtu, int seed, double loss = 0) => new(new PairSettings
    {
        Seed = seed,
        Mtu = new MtuSettings(),
        A = new ConnectionSettings { KeepAlive = TimeSpan.FromSeconds(5), IdleTimeout = TimeSpan.Zero },
        B = new ConnectionSettings { IdleTimeout = TimeSpan.Zero },
        Link = new LinkSettings { Mtu = mtu - Ipv4Headers, Loss = loss, Rate = 100e6 },
    });
}
