using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>RFC 9002, section 6, on the detector alone: the test sends packets and says which were acknowledged.</summary>
public class LossDetectorTests
{
    private static readonly TimeSpan AckDelayMax = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    private readonly Fates _fates = new();
    private readonly SentPacketRing _sent = new();
    private readonly RttEstimator _rtt = new();
    private readonly Cubic _congestion = new(1200);
    private readonly LossDetector _loss;
    private TimeSpan _now = TimeSpan.FromSeconds(5);

    public LossDetectorTests() => _loss = new LossDetector(_sent, _rtt, _congestion, _fates);

    [Fact]
    public void A_packet_three_numbers_behind_an_acknowledged_one_is_lost()
    {
        Send(4);
        _now += RoundTrip;
        Ack((1, 2));
        Assert.Empty(_fates.Lost);
        Ack((1, 3));
        Assert.Equal([0UL], _fates.Lost);
    }

    [Fact]
    public void A_packet_nine_eighths_of_a_round_trip_older_than_an_acknowledged_one_is_lost()
    {
        Send(2);
        _now += RoundTrip;
        Ack((1, 1));
        Assert.Empty(_fates.Lost);
        TimeSpan at = _loss.NextTimeout(AckDelayMax)!.Value;
        Assert.Equal(_now + (RoundTrip / 8), at);
        _now = at - TimeSpan.FromTicks(1);
        _loss.HandleTimeout(_now, AckDelayMax);
        Assert.Empty(_fates.Lost);
        _now = at;
        _loss.HandleTimeout(_now, AckDelayMax);
        Assert.Equal([0UL], _fates.Lost);
        Assert.Equal(0, _loss.BytesInFlight);
    }

    [Fact]
    public void Once_packets_came_in_another_order_only_time_says_that_one_is_lost()
    {
        Send(2);
        _now += RoundTrip;
        Ack((1, 1));
        Ack((0, 1)); // behind, and in time
        Send(8);
        _now += RoundTrip;
        Ack((9, 9), (0, 1));
        Assert.Empty(_fates.Lost); // seven numbers behind
        _now += RoundTrip / 4;
        _loss.HandleTimeout(_now, AckDelayMax);
        Assert.Equal([2UL, 3, 4, 5, 6, 7, 8], _fates.Lost);
        Assert.Equal(0, _loss.PacketsLate);
    }

    [Fact]
    public void A_packet_that_was_called_lost_too_early_makes_it_wait_longer_for_the_next()
    {
        Sample(40, 0);
        Send(5);
        _now += RoundTrip;
        Ack((4, 5));
        Assert.Equal([1UL, 2], _fates.Lost); // the order was kept until then: by number
        Ack((0, 5));
        Assert.Equal(2, _loss.PacketsLate);
        Assert.Equal(2, _loss.PacketsLost);
        Send(2);
        _now += RoundTrip;
        Ack((7, 7), (0, 5));
        Assert.Equal(_now + (RoundTrip / 2), _loss.NextTimeout(AckDelayMax));
    }

    [Fact]
    public void What_another_path_did_to_the_order_of_packets_says_nothing_about_this_one()
    {
        Send(2);
        _loss.Use(_rtt, _congestion, new ReorderingWindow(), null);
        Send(5);
        _now += RoundTrip;
        Ack((2, 2));
        Ack((0, 2)); // the first two took the path before
        Ack((5, 5), (0, 2));
        Assert.Empty(_fates.Lost);
        Ack((5, 6), (0, 2));
        Assert.Equal([3UL], _fates.Lost); // by number
    }

    [Fact]
    public void Probe_timeout_doubles_to_its_maximum_and_starts_over_with_an_acknowledgement()
    {
        Send(1);
        var waits = new List<double>();
        for (int i = 0; i < 7; i++)
        {
            TimeSpan at = _loss.NextTimeout(AckDelayMax)!.Value;
            waits.Add((at - _now).TotalMilliseconds);
            _now = at;
            _loss.HandleTimeout(_now, AckDelayMax);
            Assert.Equal(2, _loss.Probes);
            Send(2);
            Assert.Equal(0, _loss.Probes);
        }

        Assert.Equal([304, 608, 1216, 2000, 2000, 2000, 2000], waits);
        Assert.Equal(15, _loss.PacketsInFlight); // silence is not proof of loss
        Assert.Equal(0, _loss.PacketsLost);
        Assert.Contains(0UL, _fates.Lost); // but what the packet said is said again
        _now += RoundTrip;
        Ack((14, 14));
        Assert.Equal(_rtt.ProbeTimeout(AckDelayMax), _loss.BackedOff(AckDelayMax));
    }

    [Fact]
    public void Only_probes_that_are_still_needed_go_out()
    {
        Send(1);
        _now = _loss.NextTimeout(AckDelayMax)!.Value;
        _loss.HandleTimeout(_now, AckDelayMax);
        Assert.Equal(2, _loss.Probes);
        Ack((0, 0));
        Assert.Equal(0, _loss.Probes);
        Assert.Null(_loss.NextTimeout(AckDelayMax));
    }

    [Fact]
    public void Round_trip_time_is_smoothed_and_leaves_out_the_delay_of_the_other_side()
    {
        Sample(40, 0);
        Assert.Equal((40, 20), (_rtt.Smoothed.TotalMilliseconds, _rtt.Variation.TotalMilliseconds));
        Sample(52, 4);
        Assert.Equal(41, _rtt.Smoothed.TotalMilliseconds); // 7/8 of 40 and 1/8 of 48
        Assert.Equal(17, _rtt.Variation.TotalMilliseconds); // 3/4 of 20 and 1/4 of 8
        Sample(41, 4);
        Assert.Equal(41, _rtt.Smoothed.TotalMilliseconds); // a delay that would go below the minimum is not believed
        Assert.Equal(40, _rtt.Minimum.TotalMilliseconds);
    }

    [Fact]
    public void A_claimed_delay_beyond_the_promised_maximum_does_not_count()
    {
        Sample(40, 0);
        Send(1);
        _now += TimeSpan.FromMilliseconds(100);
        Ack(TimeSpan.FromSeconds(30), (1, 1));
        Assert.Equal(47, _rtt.Smoothed.TotalMilliseconds); // (7 * 40 + 96) / 8
    }

    [Fact]
    public void Acknowledging_a_packet_that_was_not_sent_is_refused()
    {
        Send(2);
        Assert.False(TryAck(TimeSpan.Zero, (0, 2)));
        Assert.True(TryAck(TimeSpan.Zero, (0, 1)));
    }

    [Fact]
    public void Losing_everything_for_three_probe_timeouts_is_persistent_congestion()
    {
        Sample(40, 0);
        Send(20);
        long before = _congestion.Window;
        for (int i = 0; i < 4; i++)
        {
            _now = _loss.NextTimeout(AckDelayMax)!.Value;
            _loss.HandleTimeout(_now, AckDelayMax);
            Send(2);
        }

        Send(1);
        ulong last = _sent.Next - 1;
        _now += RoundTrip;
        Ack((last - 1, last - 1)); // one is still on its way
        Assert.Equal(2 * 1200, _congestion.Window);
        Assert.True(before >= 10 * 1200);
    }

    [Fact]
    public void Losing_much_while_something_gets_through_is_not_persistent_congestion()
    {
        Sample(40, 0);
        for (int i = 0; i < 20; i++)
        {
            Send(3);
            _now += TimeSpan.FromMilliseconds(30);
        }

        ulong last = _sent.Next - 1;
        ulong middle = last / 2;
        Ack((last, last), (middle, middle));
        Assert.True(_loss.PacketsLost > 40);
        Assert.True(_congestion.Window > 2 * 1200);
    }

    [Fact]
    public void A_side_that_only_acknowledges_does_not_keep_what_it_sent()
    {
        for (int i = 0; i < SentPacketRing.CapacityMax + 10; i++)
        {
            SentPacket packet = _sent.Draft();
            packet.AckedUpTo = 1;
            _sent.Commit(packet);
            _loss.Sent(packet, _now);
        }

        Assert.False(_sent.IsFull);
        Assert.True(_sent.Next - _sent.First < 1000);
    }

    private void Sample(double roundTrip, double delay)
    {
        Send(1);
        _now += TimeSpan.FromMilliseconds(roundTrip);
        Ack(TimeSpan.FromMilliseconds(delay), (_sent.Next - 1, _sent.Next - 1));
    }

    private void Send(int count)
    {
        for (int i = 0; i < count; i++)
        {
            SentPacket packet = _sent.Draft();
            packet.Add(new SentFrame(SentFrameKind.Rekey, null, packet.Number));
            packet.Bytes = 1200;
            _sent.Commit(packet);
            _loss.Sent(packet, _now);
        }
    }

    private void Ack(params (ulong First, ulong Last)[] newestFirst) => Ack(TimeSpan.Zero, newestFirst);

    private void Ack(TimeSpan delay, params (ulong First, ulong Last)[] newestFirst) => Assert.True(TryAck(delay, newestFirst));

    private bool TryAck(TimeSpan delay, params (ulong First, ulong Last)[] newestFirst)
    {
        byte[] bytes = new byte[1200];
        int length = AckFrame.Write(bytes, [.. newestFirst.Select(r => new PacketRange(r.First, r.Last))], delay);
        ReadOnlySpan<byte> source = bytes.AsSpan(1, length - 1);
        Assert.True(AckFrame.TryRead(ref source, out AckFrame ack));
        return _loss.TryHandleAck(ack, AckDelayMax, _now, isWindowUsed: true, out _);
    }

    private sealed class Fates : IFrameFate
    {
        public List<ulong> Acked { get; } = [];

        public List<ulong> Lost { get; } = [];

        public void FrameAcked(in SentFrame frame) => Acked.Add(frame.Offset);

        public void FrameLost(in SentFrame frame) => Lost.Add(frame.Offset);
    }
}
