using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class AcknowledgementTests
{
    [Fact]
    public void A_single_packet_is_acknowledged_when_the_delay_is_over_and_says_how_long_that_took()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Ping);
        Assert.Empty(puppet.Packets);
        Assert.Equal(puppet.Now + puppet.Settings.AckDelayMax, puppet.Target.NextTimeout());
        puppet.Wait(3.9);
        Assert.Empty(puppet.Packets);
        puppet.Wait(0.1);
        FrameView ack = Assert.Single(puppet.Frames);
        Assert.Equal(FrameType.Ack, ack.Type);
        Assert.Equal([new PacketRange(0, 0)], ack.Ranges);
        Assert.Equal(4, ack.Delay.TotalMilliseconds);
    }

    [Fact]
    public void The_second_packet_is_acknowledged_at_once_and_later_every_tenth()
    {
        using var puppet = new Puppet();
        int acks = 0;
        for (int i = 1; i <= 98; i++)
        {
            puppet.Send(FrameBytes.Ping);
            acks += i % 2;
            Assert.Equal(i / 2, Acks(puppet).Count());
        }

        puppet.Forget().Wait(10);
        for (int i = 0; i < 100; i++)
        {
            puppet.Send(FrameBytes.Ping);
        }

        Assert.InRange(Acks(puppet).Count(), 10, 12);
    }

    [Fact]
    public void Each_of_two_probes_after_a_silence_has_an_acknowledgement_of_its_own()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Ping).Wait(1_200);
        puppet.Forget().Send(FrameBytes.Ping);
        puppet.Send(FrameBytes.Ping).Wait(5);
        Assert.Equal(2, Acks(puppet).Count());
    }

    [Fact]
    public void A_gap_and_a_late_packet_are_told_at_once()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Ping).Wait(5);
        puppet.Forget().NextNumber = 5;
        puppet.Send(FrameBytes.Ping);
        Assert.Equal([new PacketRange(5, 5), new PacketRange(0, 0)], Assert.Single(Acks(puppet)).Ranges);
        puppet.Forget();
        byte[] later = puppet.Seal(FrameBytes.Ping);
        puppet.Send(FrameBytes.Ping); // number 7
        puppet.Forget();
        puppet.Target.HandleDatagram(later, puppet.Now);
        puppet.Work();
        Assert.Equal([new PacketRange(5, 7), new PacketRange(0, 0)], Assert.Single(Acks(puppet)).Ranges);
    }

    [Fact]
    public void Acknowledgements_are_not_acknowledged()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1]);
        puppet.Work();
        puppet.Forget().AckAll();
        puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (0, 0))).Wait(100);
        Assert.Empty(puppet.Packets);
        Assert.Equal(0, puppet.Target.Path.Loss.PacketsInFlight);
    }

    [Fact]
    public void The_ranges_of_an_acknowledgement_are_bounded_and_the_newest_stay()
    {
        using var puppet = new Puppet();
        for (int i = 0; i < 1000; i++)
        {
            puppet.NextNumber += 2;
            puppet.Send(FrameBytes.Ping);
        }

        FrameView last = Acks(puppet).Last();
        Assert.Equal(AckFrame.RangesMax, last.Ranges.Count);
        Assert.Equal(puppet.NextNumber - 1, last.Value);
        Assert.All(puppet.Packets, p => Assert.InRange(p.Bytes, 1, 1200));
    }

    [Fact]
    public void What_the_other_side_knows_to_be_acknowledged_is_not_told_again()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        for (int i = 0; i < 20; i++)
        {
            puppet.NextNumber += 2;
            puppet.Send(FrameBytes.Ping);
        }

        puppet.Target.Streams.Write(stream!, [1]);
        puppet.NextNumber += 2;
        puppet.Send(FrameBytes.Ping);
        Assert.Equal(21, Acks(puppet).Last().Ranges.Count);
        puppet.AckAll().NextNumber += 2;
        puppet.Send(FrameBytes.Ping);
        Assert.InRange(Acks(puppet).Last().Ranges.Count, 1, 3);
    }

    [Fact]
    public void A_side_that_only_receives_asks_now_and_then_whether_its_acknowledgements_arrive()
    {
        using var puppet = new Puppet();
        for (int i = 0; i < 200; i++)
        {
            puppet.Send(FrameBytes.Ping).Wait(5);
        }

        Assert.InRange(puppet.Frames.Count(f => f.Type == FrameType.Ping), 4, 8);
    }

    [Fact]
    public void A_round_trip_of_the_network_is_what_both_sides_measure()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(35) } });
        pair.A.Send(pair.A.Open(), 200_000);
        pair.B.OnOpened = s => pair.B.Send(s, 200_000);
        pair.Run(3_000);
        Assert.InRange(pair.A.Connection.Path.Rtt.Smoothed.TotalMilliseconds, 70, 72);
        Assert.InRange(pair.B.Connection.Path.Rtt.Smoothed.TotalMilliseconds, 70, 72);
        Assert.Equal(70, pair.A.Connection.Path.Rtt.Minimum.TotalMilliseconds, 1.0);
    }

    [Fact]
    public void Two_acknowledgements_in_one_packet_close_the_connection()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1]);
        puppet.Work();
        byte[] ack = FrameBytes.Ack(TimeSpan.Zero, (0, 0));
        puppet.Send(ack, ack);
        puppet.AssertClosed(CloseCodes.FrameEncoding);
    }

    private static IEnumerable<FrameView> Acks(Puppet puppet) => puppet.Frames.Where(f => f.Type == FrameType.Ack);
}
