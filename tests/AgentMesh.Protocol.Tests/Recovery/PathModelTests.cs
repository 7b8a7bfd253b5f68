using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Recovery;

/// <summary>The parts of which BBR's model of a path consists.</summary>
public class PathModelTests
{
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void A_windowed_maximum_forgets_what_is_too_old_and_knows_the_next_one()
    {
        var max = new WindowedMax();
        var random = new Random(5);
        var all = new List<(long At, double Value)>();
        for (long at = 0; at < 2_000; at++)
        {
            double value = random.Next(1000);
            max.Add(value, at, 3);
            all.Add((at, value));
            Assert.Equal(all.Where(each => each.At > at - 3).Max(each => each.Value), max.Value);
        }
    }

    [Fact]
    public void Loss_without_a_queue_becomes_the_floor()
    {
        LossFloor floor = Floor(lossPercent: 5, RoundTrip, packets: 1_000);
        Assert.InRange(floor.Rate, 0.04, 0.06);
        Assert.False(floor.IsExceeded(7 * 1200, 100 * 1200, 0.02, 1200));
        Assert.True(floor.IsExceeded(20 * 1200, 100 * 1200, 0.02, 1200));
    }

    [Fact]
    public void Loss_in_a_queue_is_no_floor()
    {
        LossFloor floor = Floor(lossPercent: 5, RoundTrip * 2, packets: 1_000);
        Assert.Equal(0, floor.Rate);
        Assert.True(floor.IsExceeded(3 * 1200, 100 * 1200, 0.02, 1200));
    }

    [Fact]
    public void The_floor_is_bounded()
    {
        LossFloor floor = Floor(lossPercent: 50, RoundTrip, packets: 2_000);
        Assert.Equal(LossFloor.Max, floor.Rate);
    }

    [Fact]
    public void The_floor_falls_when_less_is_lost_even_in_a_queue()
    {
        LossFloor floor = Floor(lossPercent: 10, RoundTrip, packets: 1_000);
        Feed(floor, lossPercent: 0, RoundTrip * 3, packets: 1_000);
        Assert.InRange(floor.Rate, 0, 0.01);
    }

    [Fact]
    public void The_rate_of_delivery_is_what_was_acknowledged_over_the_longer_of_sending_and_arriving()
    {
        var rate = new DeliveryRate();
        TimeSpan now = TimeSpan.FromSeconds(10);
        SentPacket[] packets = [.. Enumerable.Range(0, 40).Select(i => Packet(i))];
        for (int i = 0; i < packets.Length; i++)
        {
            packets[i].SentAt = now + TimeSpan.FromMilliseconds(i);
            rate.Sent(packets[i], (i + 1) * 1200, packets[i].SentAt);
        }

        // Sent at one in a millisecond, acknowledged at one in two.
        RateSample sample = default;
        for (int i = 0; i < packets.Length; i++)
        {
            TimeSpan at = now + RoundTrip + TimeSpan.FromMilliseconds(2 * i);
            rate.Acked(packets[i], at);
            Assert.True(rate.TryTake(at, RoundTrip, out sample));
        }

        Assert.Equal(40 * 1200 / 0.118, sample.BytesPerSecond, 1.0);
        Assert.False(sample.IsAppLimited);
        Assert.False(rate.TryTake(now, RoundTrip, out _));
    }

    [Fact]
    public void Samples_are_limited_by_the_application_until_all_that_was_in_flight_has_arrived()
    {
        var rate = new DeliveryRate();
        TimeSpan now = TimeSpan.FromSeconds(10);
        SentPacket one = Packet(0), two = Packet(1), three = Packet(2);
        rate.Sent(one, 1200, now);
        rate.RanDry(1200);
        rate.Sent(two, 2400, now);
        rate.Acked(one, now + RoundTrip);
        rate.Acked(two, now + RoundTrip);
        Assert.True(rate.TryTake(now + RoundTrip, RoundTrip, out RateSample sample));
        Assert.True(sample.IsAppLimited);
        Assert.False(rate.IsAppLimited);
        rate.Sent(three, 1200, now + RoundTrip);
        rate.Acked(three, now + (2 * RoundTrip));
        Assert.True(rate.TryTake(now + (2 * RoundTrip), RoundTrip, out sample));
        Assert.False(sample.IsAppLimited);
    }

    [Fact]
    public void A_failed_probe_sets_a_ceiling_that_later_ones_raise_faster_and_faster()
    {
        var ceiling = new InflightCeiling();
        Assert.False(ceiling.IsSet);
        ceiling.ProbeFailed(100_000, 60_000);
        Assert.Equal(80_000, ceiling.Bytes);
        ceiling.ProbeFailed(100_000, 95_000);
        Assert.Equal(95_000, ceiling.Bytes); // never below what the path holds
        ceiling.BeginRefill();
        double before = ceiling.Bytes, grown = 0;
        for (int round = 0; round < 5; round++)
        {
            ceiling.Steepen(96_000, 1200);
            for (int packet = 0; packet < 80; packet++)
            {
                ceiling.Raise(1200, 1200);
            }

            Assert.Equal(1200 * (1 << round), ceiling.Bytes - before, 1200.0);
            Assert.True(ceiling.Bytes - before > grown);
            (grown, before) = (ceiling.Bytes - before, ceiling.Bytes);
        }
    }

    [Fact]
    public void The_pipe_is_full_after_three_rounds_without_growth()
    {
        var full = new FullPipe();
        double[] rates = [100, 200, 400, 450, 480, 490];
        for (int i = 0; i < rates.Length; i++)
        {
            Assert.False(full.IsFull);
            full.Update(new RateSample(rates[i], 0, 0, 0, 0, 0, IsAppLimited: false, RoundTrip), isRoundStart: true);
        }

        Assert.True(full.IsFull);
    }

    private static LossFloor Floor(int lossPercent, TimeSpan roundTrip, int packets)
    {
        var floor = new LossFloor();
        Feed(floor, lossPercent, roundTrip, packets);
        return floor;
    }

    private static void Feed(LossFloor floor, int lossPercent, TimeSpan roundTrip, int packets)
    {
        for (int i = 0; i < packets; i++)
        {
            if (i % 100 * lossPercent % 100 < lossPercent && lossPercent > 0)
            {
                floor.Lost();
            }
            else
            {
                floor.Acked();
            }

            floor.AckDone(roundTrip, RoundTrip);
        }
    }

    private static SentPacket Packet(int number)
    {
        var packet = new SentPacket();
        packet.Reset((ulong)number);
        packet.Bytes = 1200;
        return packet;
    }
}
