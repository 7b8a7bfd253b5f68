using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>What a device sends in a second: a bound for what may wait, shared equally, in virtual time.</summary>
public sealed class SendLimitTests
{
    private const long Rate = 100_000;
    private const int Datagram = 1_000;

    // What may go at once after a rest.
    private const long BurstBytes = 16 * 1452;

    [Fact]
    public void A_transfer_never_sends_more_than_the_rate_allows_and_not_much_less()
    {
        using var pair = new Pair(new PairSettings { LimitOfA = new SendLimit(Rate) });
        ProtocolStream stream = pair.A.SendNew(1_000_000, StreamClass.Bulk);
        for (int tenths = 1; tenths <= 80; tenths++)
        {
            pair.Run(100);
            Assert.InRange(pair.A.Outgoing.EnteredBytes, (0.85 * Rate * tenths / 10) - Datagram, BurstBytes + (Rate * tenths / 10) + (2 * Datagram));
        }

        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.InRange(pair.Elapsed.TotalSeconds, 9.7, 12);
    }

    [Fact]
    public void Control_does_not_wait_while_a_transfer_is_held_back()
    {
        using var pair = new Pair(new PairSettings { LimitOfA = new SendLimit(SendLimit.BytesPerSecondMin) });
        pair.A.SendNew(2_000_000, StreamClass.Bulk);
        pair.Run(2_000);
        for (int i = 0; i < 20; i++)
        {
            TimeSpan asked = pair.Now;
            ProtocolStream urgent = pair.A.SendNew(8, StreamClass.Control);
            pair.Until(() => pair.B.ReadingOf(urgent).Ended);
            Assert.True(pair.Now - asked <= TimeSpan.FromMilliseconds(11), $"{(pair.Now - asked).TotalMilliseconds} ms on a way of 10 ms");
            pair.Run(37);
        }
    }

    [Fact]
    public void Ordinary_messages_wait_and_go_before_bulk()
    {
        using var pair = new Pair(new PairSettings { LimitOfA = new SendLimit(Rate) });
        ProtocolStream bulk = pair.A.SendNew(2_000_000, StreamClass.Bulk);
        pair.Run(3_000);
        TimeSpan asked = pair.Now;
        ProtocolStream message = pair.A.SendNew(20_000, StreamClass.Ordinary);
        pair.Until(() => pair.B.ReadingOf(message).Ended);

        Assert.InRange((pair.Now - asked).TotalSeconds, 0.15, 0.4);
        Assert.False(pair.B.ReadingOf(bulk).Ended);
    }

    [Fact]
    public void What_the_other_side_sends_is_not_limited()
    {
        using var pair = new Pair(new PairSettings { LimitOfA = new SendLimit(SendLimit.BytesPerSecondMin) });
        ProtocolStream stream = pair.B.SendNew(2_000_000, StreamClass.Bulk);
        pair.Until(() => pair.A.ReadingOf(stream).Ended, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_new_rate_counts_at_once_and_none_is_no_limit()
    {
        var limit = new SendLimit(SendLimit.BytesPerSecondMin);
        using var pair = new Pair(new PairSettings { LimitOfA = limit });
        ProtocolStream stream = pair.A.SendNew(3_000_000, StreamClass.Bulk);
        pair.Run(5_000);
        Assert.False(pair.B.ReadingOf(stream).Ended);
        limit.BytesPerSecond = 0;
        pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Connections_that_are_held_back_get_equal_shares_and_the_bound_holds_for_all_together()
    {
        var limit = new SendLimit(Rate);
        SendShare[] shares = [limit.Open(), limit.Open(), limit.Open()];
        long[] sent = Send(limit, shares, TimeSpan.FromSeconds(20), (_, _) => true);

        Assert.InRange(sent.Sum(), 0.9 * 20 * Rate, (20 * Rate) + BurstBytes + (3 * Datagram));
        Assert.All(sent, bytes => Assert.InRange(bytes, 0.28 * sent.Sum(), 0.39 * sent.Sum()));
    }

    [Fact]
    public void What_one_does_not_use_the_others_get()
    {
        var limit = new SendLimit(Rate);
        SendShare[] shares = [limit.Open(), limit.Open()];
        long[] sent = Send(limit, shares, TimeSpan.FromSeconds(20), (share, at) => share == 0 || at < TimeSpan.FromSeconds(5));

        Assert.InRange(sent[1], 2.0 * Rate, 3.0 * Rate);
        Assert.True(sent.Sum() >= 0.9 * 20 * Rate, $"{sent[0]} + {sent[1]} bytes");
    }

    [Fact]
    public void What_goes_in_spite_of_the_limit_is_made_up_for_but_no_more_than_a_second_of_it()
    {
        var limit = new SendLimit(Rate);
        using SendShare share = limit.Open();
        TimeSpan now = TimeSpan.FromSeconds(7);
        Assert.True(share.MaySend(now));
        limit.Count(50 * (int)Rate);

        Assert.False(share.MaySend(now));
        Assert.False(share.MaySend(now + TimeSpan.FromSeconds(0.9)));
        Assert.True(share.MaySend(now + TimeSpan.FromSeconds(1.1)));
    }

    // Each sends whenever it may, in steps of a millisecond.
    private static long[] Send(SendLimit limit, SendShare[] shares, TimeSpan time, Func<int, TimeSpan, bool> wants)
    {
        long[] sent = new long[shares.Length];
        for (TimeSpan now = TimeSpan.Zero; now < time; now += TimeSpan.FromMilliseconds(1))
        {
            for (int i = 0; i < shares.Length; i++)
            {
                while (wants(i, now) && shares[i].MaySend(now))
                {
                    shares[i].Sent(Datagram);
                    sent[i] += Datagram;
                }
            }
        }

        Assert.Equal(Rate, limit.BytesPerSecond);
        return sent;
    }
}
