using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Connections;

public class CubicTests
{
    private const int Datagram = 1000;
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(100);

    private readonly RttEstimator _rtt = new();
    private readonly Cubic _cubic = new(Datagram);
    private TimeSpan _now = TimeSpan.FromSeconds(10);

    public CubicTests() => _rtt.Add(RoundTrip, TimeSpan.Zero);

    [Fact]
    public void Starts_with_ten_datagrams_and_doubles_every_round_trip()
    {
        Assert.Equal(10 * Datagram, _cubic.Window);
        RoundTrips(1);
        Assert.Equal(20 * Datagram, _cubic.Window);
        RoundTrips(1);
        Assert.Equal(40 * Datagram, _cubic.Window);
        Assert.True(_cubic.IsInSlowStart);
    }

    [Fact]
    public void A_loss_takes_three_tenths_once_for_a_round_trip()
    {
        RoundTrips(3);
        _cubic.Lost(_now - RoundTrip, _now);
        Assert.Equal(56 * Datagram, _cubic.Window);
        _cubic.Lost(_now - (RoundTrip / 2), _now + (RoundTrip / 2)); // sent before the window was cut
        Assert.Equal(56 * Datagram, _cubic.Window);
        _now += RoundTrip;
        _cubic.Lost(_now, _now + RoundTrip);
        Assert.InRange(_cubic.Window, 39 * Datagram, 40 * Datagram);
        Assert.False(_cubic.IsInSlowStart);
    }

    [Fact]
    public void The_window_is_given_back_when_all_that_was_called_lost_was_only_late()
    {
        RoundTrips(3);
        long before = _cubic.Window;
        SentPacket one = Packet(Datagram, _now), other = Packet(Datagram, _now);
        _cubic.PacketLost(one, _now);
        _cubic.Lost(_now, _now);
        _cubic.PacketLost(other, _now);
        _cubic.Lost(_now, _now);
        _cubic.ArrivedLate(one, _now);
        Assert.True(_cubic.Window < before);
        _cubic.ArrivedLate(other, _now);
        Assert.Equal(before, _cubic.Window);
        Assert.True(_cubic.IsInSlowStart);
    }

    [Fact]
    public void Comes_back_to_where_it_was_and_goes_on_from_there()
    {
        RoundTrips(5);
        long before = _cubic.Window;
        _cubic.Lost(_now, _now);
        long cut = _cubic.Window;
        double k = Math.Cbrt((before - cut) / (double)Datagram / 0.4);
        RoundTrips((int)(k * 10 / 2));
        Assert.InRange(_cubic.Window, (long)(before * 0.9), before); // fast at first, then flat below the old maximum
        RoundTrips((int)(k * 10 / 2) + 3);
        Assert.InRange(_cubic.Window, (long)(before * 0.98), (long)(before * 1.05));
        RoundTrips((int)(k * 10));
        Assert.True(_cubic.Window > before * 1.2, $"{_cubic.Window}");
    }

    [Fact]
    public void Does_not_grow_while_the_application_has_nothing_to_send()
    {
        RoundTrips(2);
        _cubic.Lost(_now, _now);
        long before = _cubic.Window;
        for (int i = 0; i < 1000; i++)
        {
            _now += RoundTrip;
            _cubic.Acked(Packet(Datagram, _now - (RoundTrip / 2)), _now, _rtt, isWindowUsed: false);
        }

        Assert.Equal(before, _cubic.Window);
    }

    [Fact]
    public void Falls_to_two_datagrams_and_no_further()
    {
        for (int i = 0; i < 50; i++)
        {
            _now += RoundTrip;
            _cubic.Lost(_now, _now);
        }

        Assert.Equal(2 * Datagram, _cubic.Window);
        _cubic.PersistentlyLost();
        Assert.Equal(2 * Datagram, _cubic.Window);
    }

    private static SentPacket Packet(int bytes, TimeSpan sentAt) => new() { Bytes = bytes, SentAt = sentAt };

    private void RoundTrips(int count)
    {
        for (int i = 0; i < count; i++)
        {
            long window = _cubic.Window;
            TimeSpan sentAt = _now + TimeSpan.FromTicks(1);
            _now += RoundTrip;
            for (long acked = 0; acked < window; acked += Datagram)
            {
                _cubic.Acked(Packet((int)Math.Min(Datagram, window - acked), sentAt), _now, _rtt, isWindowUsed: true);
            }
        }
    }
}
