using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Queues that mark instead of dropping, and networks that do not let them.</summary>
public class EcnTests(ITestOutputHelper output)
{
    private const double Megabit = 1e6;

    [Theory]
    [InlineData(CongestionControl.Bbr, 20, 16)]
    [InlineData(CongestionControl.Bbr, 20, 100)]
    [InlineData(CongestionControl.Cubic, 20, 16)]
    [InlineData(CongestionControl.Cubic, 20, 100)]
    public void A_queue_that_marks_is_filled_no_further_and_nothing_is_lost(CongestionControl control, double megabits, double roundTrip)
    {
        using Pair pair = Marking(control, megabits, roundTrip);
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(10));
        ulong before = pair.B.ReadingOf(stream).Bytes;
        pair.Run(TimeSpan.FromSeconds(20));
        double share = (pair.B.ReadingOf(stream).Bytes - before) * 8 / (20 * megabits * Megabit);
        NetworkPath path = pair.A.Connection.Path;
        output.WriteLine($"{control}, {megabits} Mbit/s, {roundTrip} ms: {share:P1} of the link, {pair.A.Outgoing.Marked} marked, {pair.A.Outgoing.Overflowed} dropped, srtt {path.Rtt.Smoothed.TotalMilliseconds:0.0} ms");
        Assert.Equal(EcnState.Capable, path.Ecn.Path.State);
        Assert.Equal((0L, 0L), (pair.A.Outgoing.Overflowed, path.Loss.PacketsLost));
        Assert.InRange((double)path.Ecn.Marked, 1, pair.A.Outgoing.Marked);
        Assert.InRange(share, 0.8, 1);
    }

    [Fact]
    public void Without_ECN_the_same_queue_overflows()
    {
        using Pair pair = Marking(CongestionControl.Cubic, 20, 16, new ConnectionSettings { Congestion = CongestionControl.Cubic, Ecn = false });
        pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(10));
        Assert.Equal(0, pair.A.Outgoing.EnteredEct);
        Assert.True(pair.A.Outgoing.Overflowed > 0);
    }

    [Fact]
    public void A_box_that_clears_the_bits_is_noticed_after_one_round_trip()
    {
        using var pair = new Pair();
        pair.A.Outgoing.Box = _ => EcnCodepoint.NotEct;
        ProtocolStream stream = pair.A.SendNew(2_000_000);
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.Equal(EcnState.Failed, pair.A.Connection.Path.Ecn.Path.State);
        Assert.InRange(pair.A.Outgoing.EnteredEct, 1, EcnPath.TestPackets);
        Assert.Equal(0, pair.A.Connection.Path.Loss.PacketsLost);
        Assert.Equal(EcnState.Capable, pair.B.Connection.Path.Ecn.Path.State); // the other direction goes on
    }

    [Fact]
    public void A_box_that_drops_what_asks_costs_ten_packets()
    {
        using var pair = new Pair();
        pair.A.Outgoing.Box = pair.B.Outgoing.Box = DropEct;
        ProtocolStream stream = pair.A.SendNew(2_000_000);
        pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(5));
        Assert.Equal(EcnState.Failed, pair.A.Connection.Path.Ecn.Path.State);
        Assert.Equal(EcnPath.TestPackets, pair.A.Outgoing.EnteredEct);
        Assert.Equal(EcnPath.TestPackets, pair.A.Connection.Path.Loss.PacketsLost);
    }

    [Fact]
    public void A_route_that_begins_to_drop_what_asks_is_noticed_and_one_that_only_failed_is_used_again()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        EcnPath path = pair.A.Connection.Path.Ecn.Path;
        pair.Run(2_000);
        Assert.Equal(EcnState.Capable, path.State);

        pair.A.Outgoing.IsCut = true;
        pair.Run(1_000);
        pair.A.Outgoing.IsCut = false;
        pair.Until(() => path.State == EcnState.Capable, TimeSpan.FromSeconds(5), "ECN did not come back after a failure of the network");

        pair.A.Outgoing.Box = DropEct;
        ulong before = pair.B.ReadingOf(stream).Bytes;
        pair.Until(() => path.State == EcnState.Failed, TimeSpan.FromSeconds(5), "the black hole was not noticed");
        pair.Run(2_000);
        Assert.True(pair.B.ReadingOf(stream).Bytes - before > 1_000_000, pair.Describe("the transfer stands still"));
    }

    [Fact]
    public void Somebody_who_says_little_is_heard_over_a_box_that_drops_what_asks()
    {
        using var pair = new Pair();
        pair.A.Outgoing.Box = DropEct;
        ProtocolStream stream = pair.A.SendNew(1, finish: false);
        for (ulong i = 1; i <= 5; i++)
        {
            pair.Run(5_000);
            Assert.Equal(i, pair.B.ReadingOf(stream).Bytes);
            pair.A.Send(stream, 1, finish: false);
        }

        Assert.Equal(EcnState.Failed, pair.A.Connection.Path.Ecn.Path.State);
        Assert.True(pair.A.Connection.IsOpen);
    }

    [Fact]
    public void Acknowledgements_alone_do_not_ask_so_that_a_box_that_drops_what_asks_does_not_take_them()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 20 * Megabit } });
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(2_000);
        Assert.InRange(pair.B.Outgoing.EnteredEct, 1, pair.B.Outgoing.Entered / 4);

        pair.B.Outgoing.Box = DropEct;
        ulong before = pair.B.ReadingOf(stream).Bytes;
        pair.Run(5_000);
        Assert.InRange((pair.B.ReadingOf(stream).Bytes - before) * 8 / (5 * 20 * Megabit), 0.8, 1);
    }

    [Fact]
    public void Each_packet_is_counted_once_however_often_it_arrives()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Duplication = 0.3, Reordering = 0.1 } });
        ProtocolStream stream = pair.A.SendNew(2_000_000);
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.Equal(EcnState.Capable, pair.A.Connection.Path.Ecn.Path.State);
    }

    [Fact]
    public void A_peer_that_does_not_take_the_counts_gets_none_and_nothing_asks()
    {
        using var puppet = new Puppet(ours: TransportParameters.Of(new ConnectionSettings { Ecn = false }));
        Talk(puppet, new EcnCountsFrame(0, 0, 0), packets: 20);
        Assert.All(puppet.Codepoints, ecn => Assert.Equal(EcnCodepoint.NotEct, ecn));
        puppet.Target.HandleDatagram(puppet.Seal(FrameBytes.Ping), puppet.Now, EcnCodepoint.Ce);
        puppet.Work();
        Assert.DoesNotContain(puppet.Frames, frame => frame.Type == FrameType.EcnCounts);
        Assert.Equal(1UL, puppet.Target.Path.Received.Marked);
    }

    [Fact]
    public void A_marked_packet_is_acknowledged_at_once_and_the_counts_stand_before_the_acknowledgement()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Ping).Wait(10);
        puppet.Forget();
        puppet.Target.HandleDatagram(puppet.Seal(FrameBytes.Ping), puppet.Now, EcnCodepoint.Ce);
        puppet.Work();
        Assert.Equal([FrameType.EcnCounts, FrameType.Ack], puppet.Frames.Select(frame => frame.Type));
        Assert.Equal(new EcnCountsFrame(0, 0, 1), puppet.Frames.First().Counts);
        puppet.Forget();
        puppet.Target.HandleDatagram(puppet.Seal(FrameBytes.Ping), puppet.Now, EcnCodepoint.Ect0);
        puppet.Wait(10);
        Assert.Equal(new EcnCountsFrame(1, 0, 1), puppet.Frames.First().Counts);
    }

    [Fact]
    public void A_peer_that_lies_in_its_counts_ends_the_marks_and_nothing_else()
    {
        using var puppet = new Puppet();
        Talk(puppet, new EcnCountsFrame(1_000, 0, 0), packets: 20);
        Assert.Contains(EcnCodepoint.Ect0, puppet.Codepoints);
        Assert.Equal(EcnState.Failed, puppet.Target.Path.Ecn.Path.State);
        Assert.True(puppet.Target.IsOpen);
        Assert.Equal(EcnCodepoint.NotEct, puppet.Codepoints[^1]);
    }

    [Fact]
    public void Nothing_asks_before_a_round_trip_was_measured()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(50) } });
        pair.A.SendNew(100_000);
        pair.Run(99);
        Assert.True(pair.A.Outgoing.Entered > 5);
        Assert.Equal(0, pair.A.Outgoing.EnteredEct);
        pair.Run(100);
        Assert.True(pair.A.Outgoing.EnteredEct > 0);
    }

    private static EcnCodepoint? DropEct(EcnCodepoint ecn) => ecn == EcnCodepoint.NotEct ? ecn : null;

    private static Pair Marking(CongestionControl control, double megabits, double roundTrip, ConnectionSettings? settings = null)
    {
        settings ??= new ConnectionSettings { Congestion = control };
        return new Pair(new PairSettings
        {
            A = settings,
            B = settings,
            Link = new LinkSettings
            {
                Rate = megabits * Megabit,
                Delay = TimeSpan.FromMilliseconds(roundTrip / 2),
                MarksAfter = TimeSpan.FromMilliseconds(roundTrip / 2),
                QueueBytes = (int)(4 * megabits * Megabit / 8 * roundTrip / 1000),
            },
        });
    }

    /// <summary>The connection sends one packet after another, each acknowledged with the same counts.</summary>
    private static void Talk(Puppet puppet, EcnCountsFrame counts, int packets)
    {
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Send(FrameBytes.Ping);
        for (int i = 0; i < packets; i++)
        {
            puppet.Target.Streams.Write(stream!, [1]);
            puppet.Wait(1);
            byte[] told = puppet.Codepoints.Contains(EcnCodepoint.Ect0) ? FrameBytes.EcnCounts(counts.Ect0, counts.Ect1, counts.Ce) : [];
            puppet.Send(told, FrameBytes.Ack(TimeSpan.Zero, (0, puppet.Packets[^1].Number)));
        }
    }
}
