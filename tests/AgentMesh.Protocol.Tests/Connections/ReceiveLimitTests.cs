using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What a device receives in a second: the others are allowed no more, in virtual time.</summary>
public sealed class ReceiveLimitTests
{
    private const long Rate = 100_000;

    // What a class may send at once after a rest, and what the bucket holds then.
    private static readonly double AtOnce = ReceiveLimit.FirstCredit(Rate, int.MaxValue) + Math.Max(Rate * ReceiveLimit.Burst.TotalSeconds, 16 * 1452);

    [Theory]
    [InlineData(10, 0)]
    [InlineData(400, 0)]
    [InlineData(25, 0.02)]
    public void A_transfer_never_brings_more_than_the_rate_allows_and_not_much_less(double delayMilliseconds, double loss)
    {
        using Pair pair = Limited(new ReceiveLimit(Rate), new LinkSettings { Delay = TimeSpan.FromMilliseconds(delayMilliseconds), Loss = loss });
        ProtocolStream stream = pair.A.SendNew(1_000_000, StreamClass.Bulk);
        for (int tenths = 1; tenths <= 80; tenths++)
        {
            pair.Run(100);
            Assert.True(pair.A.Outgoing.EnteredBytes <= AtOnce + (Rate * tenths / 10.0) + 3_000, $"{pair.A.Outgoing.EnteredBytes} bytes within {tenths / 10.0} s");
        }

        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.InRange(pair.Elapsed.TotalSeconds, 9.3, 12.5);
    }

    [Fact]
    public void Control_does_not_wait_while_a_transfer_is_held_back()
    {
        using Pair pair = Limited(new ReceiveLimit(ReceiveLimit.BytesPerSecondMin));
        ProtocolStream bulk = pair.A.SendNew(2_000_000, StreamClass.Bulk);
        pair.Run(2_000);
        for (int i = 0; i < 20; i++)
        {
            // More in all than the rate lets through meanwhile: control has windows of its own.
            TimeSpan asked = pair.Now;
            ProtocolStream urgent = pair.A.SendNew(4_000, StreamClass.Control);
            pair.Until(() => pair.B.ReadingOf(urgent).Ended);
            Assert.True(pair.Now - asked <= TimeSpan.FromMilliseconds(15), $"{(pair.Now - asked).TotalMilliseconds} ms on a way of 10 ms");
            pair.Run(37);
        }

        Assert.False(pair.B.ReadingOf(bulk).Ended);
    }

    [Fact]
    public void What_control_takes_is_made_up_for_but_the_rest_never_stands_still()
    {
        using Pair pair = Limited(new ReceiveLimit(Rate));
        ProtocolStream bulk = pair.A.SendNew(10_000_000, StreamClass.Bulk);
        pair.Run(2_000);
        ulong before = pair.B.ReadingOf(bulk).Bytes;
        for (int i = 0; i < 100; i++)
        {
            pair.A.SendNew(15_000, StreamClass.Control);
            pair.Run(100); // half as much again as the rate, for ten seconds
        }

        Assert.InRange((pair.B.ReadingOf(bulk).Bytes - before) / 10.0, 0.4 * Rate, 0.55 * Rate);
    }

    [Fact]
    public void A_message_comes_at_once_while_bulk_waits()
    {
        using Pair pair = Limited(new ReceiveLimit(Rate));
        ProtocolStream bulk = pair.A.SendNew(2_000_000, StreamClass.Bulk);
        pair.Run(3_000);
        TimeSpan asked = pair.Now;
        ProtocolStream message = pair.A.SendNew(20_000, StreamClass.Ordinary);
        pair.Until(() => pair.B.ReadingOf(message).Ended);

        Assert.InRange((pair.Now - asked).TotalMilliseconds, 0, 30);
        Assert.False(pair.B.ReadingOf(bulk).Ended);
    }

    [Fact]
    public void A_reader_that_stands_still_does_not_stop_the_others_of_its_class()
    {
        using Pair pair = Limited(new ReceiveLimit(Rate));
        pair.B.Reads = stream => stream.Id.Sequence != 0;
        pair.A.SendNew(2_000_000, StreamClass.Bulk);
        pair.Run(5_000);
        ProtocolStream other = pair.A.SendNew(200_000, StreamClass.Bulk);
        pair.Until(() => pair.B.ReadingOf(other).Ended, TimeSpan.FromSeconds(6));
    }

    [Fact]
    public void What_this_side_sends_is_not_limited()
    {
        using Pair pair = Limited(new ReceiveLimit(ReceiveLimit.BytesPerSecondMin));
        ProtocolStream stream = pair.B.SendNew(2_000_000, StreamClass.Bulk);
        pair.Until(() => pair.A.ReadingOf(stream).Ended, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_new_rate_counts_soon_and_none_is_no_limit()
    {
        var limit = new ReceiveLimit();
        using var pair = new Pair(new PairSettings { LimitOfB = limit, Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(10), Rate = 16e6 } });
        ProtocolStream stream = pair.A.SendNew(20_000_000, StreamClass.Bulk);
        pair.Run(1_000);
        limit.BytesPerSecond = Rate;
        pair.Run(4_000); // what was allowed before has come by then
        ulong before = pair.B.ReadingOf(stream).Bytes;
        pair.Run(5_000);
        Assert.InRange((pair.B.ReadingOf(stream).Bytes - before) / 5.0, 0.8 * Rate, 1.05 * Rate);

        limit.BytesPerSecond = 0;
        pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(12));
    }

    [Fact]
    public void A_rate_above_what_the_path_carries_costs_nothing()
    {
        var link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(20), Rate = 40e6 };
        double seconds = Timed(new ReceiveLimit(1_000_000_000)), without = Timed(new ReceiveLimit());
        Assert.InRange(seconds, 0.9 * without, 1.1 * without);

        double Timed(ReceiveLimit limit)
        {
            using var pair = new Pair(new PairSettings { LimitOfB = limit, Link = link });
            ProtocolStream stream = pair.A.SendNew(30_000_000, StreamClass.Bulk);
            pair.Until(() => pair.B.ReadingOf(stream).Ended);
            return pair.Elapsed.TotalSeconds;
        }
    }

    [Fact]
    public void Connections_that_wait_get_equal_shares_and_the_bound_holds_for_all_together()
    {
        var limit = new ReceiveLimit(Rate);
        ReceiveShare[] shares = [limit.Open(), limit.Open(), limit.Open()];
        ulong[] taken = Take(shares, TimeSpan.FromSeconds(20), (_, _) => true);

        double sum = taken.Sum(bytes => (double)bytes);
        Assert.InRange(sum, 0.95 * 20 * Rate, (20 * Rate) + (16 * 1452));
        Assert.All(taken, bytes => Assert.InRange(bytes, 0.28 * sum, 0.39 * sum));
    }

    [Fact]
    public void What_one_does_not_use_the_others_get()
    {
        var limit = new ReceiveLimit(Rate);
        ReceiveShare[] shares = [limit.Open(), limit.Open()];
        ulong[] taken = Take(shares, TimeSpan.FromSeconds(20), (share, at) => share == 0 || at < TimeSpan.FromSeconds(5));

        Assert.InRange(taken[1], 2.0 * Rate, 3.0 * Rate);
        Assert.True(taken[0] + taken[1] >= 0.95 * 20 * Rate, $"{taken[0]} + {taken[1]} bytes");
    }

    [Fact]
    public void A_connection_that_ends_takes_no_part_in_the_sharing()
    {
        var limit = new ReceiveLimit(Rate);
        ReceiveShare stays = limit.Open();
        for (int i = 0; i < 50; i++)
        {
            using ReceiveShare goes = limit.Open();
            goes.Take(1_000_000, TimeSpan.Zero);
        }

        ulong[] taken = Take([stays], TimeSpan.FromSeconds(10), (_, _) => true);
        Assert.InRange(taken[0], 0.95 * 10 * Rate, (10 * Rate) + (16 * 1452));
    }

    // Each wants half a second's worth whenever it may ask again.
    private static ulong[] Take(ReceiveShare[] shares, TimeSpan time, Func<int, TimeSpan, bool> wants)
    {
        ulong[] taken = new ulong[shares.Length];
        for (TimeSpan now = TimeSpan.Zero; now < time; now += TimeSpan.FromMilliseconds(1))
        {
            for (int i = 0; i < shares.Length; i++)
            {
                if (wants(i, now) && (!shares[i].IsWaiting || shares[i].NextAt <= now))
                {
                    shares[i].BeginRound();
                    taken[i] += shares[i].Take((ulong)Rate / 2, now);
                }
            }
        }

        return taken;
    }

    private static Pair Limited(ReceiveLimit limit, LinkSettings? link = null) => new(new PairSettings
    {
        B = new ConnectionSettings { ClassCredit = ReceiveLimit.FirstCredit(limit.BytesPerSecond, int.MaxValue) },
        LimitOfB = limit,
        Link = link ?? new LinkSettings { Delay = TimeSpan.FromMilliseconds(10) },
    });
}
