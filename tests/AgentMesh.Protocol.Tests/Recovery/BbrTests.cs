using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Recovery;

/// <summary>BBR over a link of which rate, round trip, queue and losses are known.</summary>
public class BbrTests(ITestOutputHelper output)
{
    private const double Megabit = 1e6;

    [Fact]
    public void Finds_the_rate_of_the_link_and_leaves_startup()
    {
        using var pair = Link(20, 50);
        Bbr bbr = Start(pair, out ProtocolStream _);
        Assert.Equal(BbrState.Startup, bbr.State);
        pair.Until(() => bbr.State != BbrState.Startup, TimeSpan.FromSeconds(5));
        pair.Until(() => bbr.State == BbrState.Cruise, TimeSpan.FromSeconds(5));
        Assert.InRange(bbr.BytesPerSecond * 8, 19.5 * Megabit, 21 * Megabit);
    }

    [Fact]
    public void Keeps_the_queue_short_where_cubic_fills_it()
    {
        Assert.InRange(RoundTripAfter(CongestionControl.Bbr), 50, 75);
        Assert.InRange(RoundTripAfter(CongestionControl.Cubic), 100, 300);
    }

    [Theory]
    [InlineData(20, 16, 2, 0.8)]
    [InlineData(20, 16, 5, 0.8)]
    [InlineData(20, 100, 2, 0.75)]
    [InlineData(20, 100, 5, 0.7)]
    [InlineData(2, 40, 5, 0.8)]
    public void Fills_a_link_that_loses_packets_by_itself(double megabits, double roundTrip, double lossPercent, double atLeast)
    {
        double bbr = Share(CongestionControl.Bbr, megabits, roundTrip, lossPercent, out double floor);
        output.WriteLine($"{megabits} Mbit/s, {roundTrip} ms, {lossPercent} %: BBR {bbr:P1}, floor {floor:P1}");
        Assert.True(bbr >= atLeast, $"{bbr:P1}");
        Assert.InRange(floor, lossPercent / 100 / 4, lossPercent / 100 * 2.5);
    }

    [Fact]
    public void A_clean_link_has_no_floor_of_loss_however_often_its_queue_overflows()
    {
        Share(CongestionControl.Bbr, 20, 50, 0, out double floor, queue: 0.5);
        Assert.Equal(0, floor);
    }

    [Fact]
    public void Goes_down_to_half_the_window_to_see_the_least_round_trip_again()
    {
        using var pair = Link(20, 50, queue: 4);
        Bbr bbr = Start(pair, out ProtocolStream _);
        pair.Run(TimeSpan.FromSeconds(3));

        // The way has become longer: no sample is as low as the old least any more.
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Delay = TimeSpan.FromMilliseconds(40) };
        pair.Until(() => bbr.State == BbrState.ProbeRtt, TimeSpan.FromSeconds(15));
        pair.Until(() => bbr.State == BbrState.Cruise, TimeSpan.FromSeconds(2));
        pair.Run(TimeSpan.FromSeconds(10));
        Assert.InRange(bbr.Window, 2 * 20 * Megabit / 8 * 0.065 * 0.8, 2.4 * 20 * Megabit / 8 * 0.075);
    }

    [Fact]
    public void What_the_application_does_not_send_is_no_measure_of_the_link()
    {
        using var pair = Link(20, 50);
        Bbr bbr = Start(pair, out ProtocolStream _);
        pair.Run(TimeSpan.FromSeconds(5));
        double before = bbr.BytesPerSecond;
        using var idle = Link(20, 50);
        Bbr quiet = Start(idle, out ProtocolStream stream, bytes: 2_000_000, finish: false);
        idle.Run(TimeSpan.FromSeconds(3));
        double known = quiet.BytesPerSecond;
        for (int i = 0; i < 200; i++)
        {
            idle.A.Send(stream, 1_000, finish: false);
            idle.Run(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(before, 0.9 * known, 1.1 * known);
        Assert.InRange(quiet.BytesPerSecond, 0.9 * known, 1.1 * known);
    }

    [Fact]
    public void Follows_a_link_that_becomes_slower_and_faster()
    {
        using var pair = Link(20, 50);
        Bbr bbr = Start(pair, out ProtocolStream _);
        pair.Run(TimeSpan.FromSeconds(5));
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Rate = 5 * Megabit };
        pair.Run(TimeSpan.FromSeconds(12));
        Assert.InRange(bbr.BytesPerSecond * 8, 4 * Megabit, 6.5 * Megabit);
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Rate = 20 * Megabit };
        pair.Run(TimeSpan.FromSeconds(20));
        Assert.InRange(bbr.BytesPerSecond * 8, 15 * Megabit, 21 * Megabit);
    }

    [Fact]
    public void Another_network_is_learned_from_the_beginning()
    {
        using var pair = Link(20, 50, lossPercent: 3);
        Bbr bbr = Start(pair, out ProtocolStream _);
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.True(bbr.FloorOfLoss > 0);
        pair.A.Connection.Path.Moved(pair.A.Connection.Path.NewTraffic(roundTrip: null));
        bbr = (Bbr)pair.A.Connection.Path.Congestion;
        Assert.Equal((BbrState.Startup, 12_000, 0d, 0d), (bbr.State, bbr.Window, bbr.FloorOfLoss, bbr.BytesPerSecond));
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.InRange(bbr.BytesPerSecond * 8, 15 * Megabit, 21 * Megabit);
    }

    [Fact]
    public void Reordering_is_not_taken_for_loss_for_long()
    {
        using var pair = Link(20, 50);
        pair.A.Outgoing.Settings = pair.A.Outgoing.Settings with { Reordering = 0.05, HeldBack = TimeSpan.FromMilliseconds(8) };
        Start(pair, out ProtocolStream stream);
        pair.Run(TimeSpan.FromSeconds(10));
        Assert.True(pair.B.ReadingOf(stream).Bytes * 8 / (10 * 20 * Megabit) > 0.8, pair.Describe($"{pair.B.ReadingOf(stream).Bytes}"));
    }

    private static Pair Link(double megabits, double roundTrip, double lossPercent = 0, double queue = 1, CongestionControl control = CongestionControl.Bbr)
    {
        var settings = new ConnectionSettings { Congestion = control };
        return new Pair(new PairSettings
        {
            Seed = 7,
            A = settings,
            B = settings,
            Link = new LinkSettings
            {
                Rate = megabits * Megabit,
                Delay = TimeSpan.FromMilliseconds(roundTrip / 2),
                Loss = lossPercent / 100,
                QueueBytes = (int)Math.Max(6_000, queue * megabits * Megabit / 8 * roundTrip / 1000),
            },
        });
    }

    private static Bbr Start(Pair pair, out ProtocolStream stream, ulong bytes = ulong.MaxValue / 2, bool finish = true)
    {
        stream = pair.A.SendNew(bytes, finish: finish);
        return (Bbr)pair.A.Connection.Path.Congestion;
    }

    private static double RoundTripAfter(CongestionControl control)
    {
        using var pair = Link(20, 50, queue: 4, control: control);
        pair.A.SendNew(ulong.MaxValue / 2);
        double most = 0;
        pair.Run(TimeSpan.FromSeconds(5));
        for (int i = 0; i < 50; i++)
        {
            pair.Run(TimeSpan.FromMilliseconds(100));
            most += pair.A.Connection.Path.Rtt.Smoothed.TotalMilliseconds / 50;
        }

        return most;
    }

    private static double Share(CongestionControl control, double megabits, double roundTrip, double lossPercent, out double floor, double queue = 1)
    {
        using var pair = Link(megabits, roundTrip, lossPercent, queue, control);
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(20));
        floor = ((Bbr)pair.A.Connection.Path.Congestion).FloorOfLoss;
        return pair.B.ReadingOf(stream).Bytes * 8 / (20 * megabits * Megabit);
    }
}
