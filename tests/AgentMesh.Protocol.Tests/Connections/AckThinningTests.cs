using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Fewer acknowledgements while much is in flight and nothing is wrong.</summary>
public class AckThinningTests(ITestOutputHelper output)
{
    private const double Megabit = 1e6;
    private static readonly TimeSpan Asked = TimeSpan.FromMilliseconds(10);

    private ulong _sent;

    [Theory]
    [InlineData(CongestionControl.Bbr, 100, 40, 3)]
    [InlineData(CongestionControl.Bbr, 20, 40, 1.4)]
    [InlineData(CongestionControl.Bbr, 20, 100, 1.8)]
    [InlineData(CongestionControl.Bbr, 5, 40, 0.9)]
    [InlineData(CongestionControl.Cubic, 100, 40, 5)]
    [InlineData(CongestionControl.Cubic, 20, 100, 3)]
    public void Bulk_takes_a_fraction_of_the_packets_back_at_the_same_goodput(CongestionControl control, double megabits, double roundTrip, double times)
    {
        (double goodputBefore, double allBefore, double before) = Transfer(control, megabits, roundTrip, isThinned: false);
        (double goodput, double all, double acks) = Transfer(control, megabits, roundTrip, isThinned: true);
        output.WriteLine($"{control}, {megabits} Mbit/s, {roundTrip} ms: {goodputBefore:0.00} and thinned {goodput:0.00} Mbit/s; packets back a second {before:0} and thinned {acks:0}, in the first 5 s {allBefore:0} and {all:0}");
        Assert.InRange(goodput, 0.99 * goodputBefore, 1.05 * goodputBefore);
        Assert.True(acks * times <= before, $"{before:0} packets back a second, thinned {acks:0}");
    }

    [Fact]
    public void What_is_asked_is_a_quarter_of_the_round_trip_and_neither_while_the_path_is_probed_nor_of_who_does_not_take_it()
    {
        using Pair pair = Bulk();
        List<FrameView> asked = Sniff(pair, _ => false);
        Bbr bbr = Assert.IsType<Bbr>(pair.A.Connection.Path.Congestion);
        int whileProbing = 0;
        while (pair.Elapsed < TimeSpan.FromSeconds(10))
        {
            int before = asked.Count(frame => frame.Delay > TimeSpan.Zero);
            bool wasProbing = bbr.IsProbing;
            pair.Run(1);
            whileProbing += wasProbing && bbr.IsProbing ? asked.Count(frame => frame.Delay > TimeSpan.Zero) - before : 0;
        }

        Assert.Equal(0, whileProbing);
        Assert.InRange(asked.Count, 10, 40);
        Assert.All(asked.Where(frame => frame.Delay > TimeSpan.Zero), frame => Assert.InRange(frame.Delay.TotalMilliseconds, 9, 11));
        Assert.Contains(asked, frame => frame.Delay == TimeSpan.Zero); // taken back before the next probe for more

        using Pair old = Bulk(ofB: new ConnectionSettings { AckThinning = false });
        List<FrameView> none = Sniff(old, _ => false);
        old.Run(5_000);
        Assert.Empty(none);
        Assert.True(Acks(old) > 4_000, "acknowledgements are as they were");
    }

    [Fact]
    public void Nothing_is_asked_within_a_building_or_by_who_has_little_in_flight()
    {
        using Pair near = Bulk(roundTrip: 3);
        List<FrameView> asked = Sniff(near, _ => false);
        near.Run(5_000);
        Assert.Empty(asked);

        using var little = new Pair(new PairSettings { Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(20) } });
        asked = Sniff(little, _ => false);
        ProtocolStream stream = little.A.SendNew(20_000, finish: false);
        for (int i = 0; i < 200; i++)
        {
            little.Run(20);
            little.A.Send(stream, 20_000, finish: false);
        }

        Assert.Empty(asked);
    }

    [Fact]
    public void Probes_after_a_timeout_take_it_back_and_it_is_not_asked_before_all_is_well_for_a_while()
    {
        using Pair pair = Bulk();
        bool isCut = false;
        List<FrameView> asked = Sniff(pair, _ => isCut);
        pair.Until(() => pair.A.Connection.Path.Rtt.AskedDelay > TimeSpan.Zero, TimeSpan.FromSeconds(5), "nothing was asked");
        asked.Clear();
        isCut = true;
        pair.Run(300);
        Assert.NotEmpty(asked);
        Assert.All(asked, frame => Assert.Equal(TimeSpan.Zero, frame.Delay));
        Assert.Equal(TimeSpan.Zero, pair.A.Connection.Path.Rtt.AskedDelay);

        isCut = false;
        asked.Clear();
        pair.Run(400);
        Assert.DoesNotContain(asked, frame => frame.Delay > TimeSpan.Zero);
        Assert.False(pair.B.Connection.Path.Received.IsThinned(pair.Now));
    }

    [Fact]
    public void Who_is_asked_waits_by_time_and_as_long_as_it_was_asked()
    {
        using Puppet puppet = Thinned();
        Data(puppet, 100);
        Assert.Empty(puppet.Packets);
        puppet.Wait(9.9);
        Assert.Empty(puppet.Packets);
        puppet.Wait(0.1);
        Assert.Equal(FrameType.Ack, Assert.Single(puppet.Frames, frame => frame.Type != FrameType.MaxStreamData).Type);
    }

    [Fact]
    public void Nobody_waits_longer_than_25_ms_or_with_more_than_256_packets_whatever_is_asked()
    {
        using Puppet puppet = Thinned(TimeSpan.FromSeconds(1));
        Data(puppet, 1).Wait(24.9);
        Assert.Empty(puppet.Packets);
        puppet.Wait(0.1);
        Assert.Single(puppet.Packets);
        puppet.Forget();
        Data(puppet, 255);
        Assert.Empty(puppet.Packets);
        Data(puppet, 1);
        Assert.Single(puppet.Packets);

        using Puppet hasty = Thinned(TimeSpan.FromMicroseconds(1));
        Data(hasty, 1).Wait(0.9);
        Assert.Empty(hasty.Packets);
        hasty.Wait(0.1);
        Assert.Single(hasty.Packets);
    }

    [Fact]
    public void It_holds_for_a_second()
    {
        using Puppet puppet = Thinned();
        for (int i = 0; i < 16; i++)
        {
            Data(puppet, 1).Wait(50); // it is not the silence that ends it
        }

        Data(puppet.Forget(), 1).Wait(5);
        Assert.Empty(puppet.Packets);
        puppet.Wait(95).Forget();
        AssertAsUsual(puppet);
    }

    [Theory]
    [InlineData("a gap")]
    [InlineData("a packet that is late")]
    [InlineData("a mark")]
    [InlineData("it is taken back")]
    public void Trouble_is_told_at_once_and_ends_it(string trouble)
    {
        using Puppet puppet = Thinned();
        byte[] late = trouble == "a packet that is late" ? puppet.Seal(Next()) : [];
        if (late.Length > 0)
        {
            Data(puppet, 1);
            puppet.Send(FrameBytes.AckFrequency(Asked)).Wait(30);
            puppet.Forget();
        }

        EcnCodepoint ecn = trouble == "a mark" ? EcnCodepoint.Ce : EcnCodepoint.NotEct;
        puppet.NextNumber += trouble == "a gap" ? 1UL : 0;
        puppet.Target.HandleDatagram(late.Length > 0 ? late : puppet.Seal([.. trouble == "it is taken back" ? FrameBytes.AckFrequency(TimeSpan.Zero) : [], .. Next()]), puppet.Now, ecn);
        puppet.Work();
        Assert.Contains(puppet.Frames, frame => frame.Type == FrameType.Ack);
        puppet.Forget();
        AssertAsUsual(puppet);
    }

    [Fact]
    public void Another_address_and_a_sleep_end_it()
    {
        using Puppet moved = Thinned();
        moved.Target.HandleDatagram(moved.Seal(Next()), new IPEndPoint(IPAddress.Parse("192.0.2.7"), 7), moved.Now);
        moved.Wait(4).Forget();
        AssertAsUsual(moved);

        using Puppet asleep = Thinned();
        asleep.Target.HandleNetworkChange(hasSlept: true, asleep.Now);
        asleep.Work().Forget();
        AssertAsUsual(asleep);

        using Puppet silent = Thinned();
        silent.Wait(1_000).Forget();
        silent.Send(FrameBytes.AckFrequency(Asked), Next());
        Assert.Contains(silent.Frames, frame => frame.Type == FrameType.Ack);
        Assert.False(silent.Target.Path.Received.IsThinned(silent.Now));
    }

    [Fact]
    public void A_question_is_answered_as_soon_as_ever()
    {
        using Puppet puppet = Thinned();
        puppet.Send(FrameBytes.Ping).Wait(3.9);
        Assert.Empty(puppet.Packets);
        puppet.Wait(0.1);
        Assert.Single(puppet.Packets);
        Assert.True(puppet.Target.Path.Received.IsThinned(puppet.Now));

        puppet.Forget();
        Data(puppet, 9).Send(FrameBytes.Ping); // the tenth
        Assert.Single(puppet.Packets);
    }

    /// <summary>Every tenth packet is told of, and each after 4 ms.</summary>
    private void AssertAsUsual(Puppet puppet)
    {
        Assert.False(puppet.Target.Path.Received.IsThinned(puppet.Now));
        puppet.Wait(4).Forget();
        Data(puppet, 100);
        Assert.InRange(puppet.Frames.Count(frame => frame.Type == FrameType.Ack), 10, 11);
        Data(puppet.Wait(4).Forget(), 1).Wait(3.9);
        Assert.Empty(puppet.Packets);
        puppet.Wait(0.1);
        Assert.Single(puppet.Packets);
    }

    /// <summary>A connection that was asked by one that it knows for some time.</summary>
    private Puppet Thinned(TimeSpan? delay = null)
    {
        var puppet = new Puppet();
        Data(puppet, 120).Wait(10);
        puppet.Send(FrameBytes.AckFrequency(delay ?? Asked), Next()).Wait(100);
        Assert.True(puppet.Target.Path.Received.IsThinned(puppet.Now));
        return puppet.Forget();
    }

    private Puppet Data(Puppet puppet, int packets)
    {
        for (int i = 0; i < packets; i++)
        {
            puppet.Send(Next());
        }

        return puppet;
    }

    private byte[] Next() => FrameBytes.Stream(Puppet.Ours(0), _sent++, [7]);

    /// <summary>What A asks for in its packets, those that <paramref name="drops"/> takes included.</summary>
    private static List<FrameView> Sniff(Pair pair, Func<byte[], bool> drops)
    {
        var asked = new List<FrameView>();
        PacketProtector protector = TestSessions.Protector(isInitiator: false);
        pair.A.Outgoing.Drops = datagram =>
        {
            byte[] copy = [.. datagram];
            Assert.Equal(OpenStatus.Opened, protector.Open(copy, default, pair.Now, out OpenedPacket packet));
            asked.AddRange(FrameView.Parse(copy.AsSpan(packet.PayloadOffset, packet.PayloadLength)).Where(frame => frame.Type == FrameType.AckFrequency));
            return drops(datagram);
        };
        return asked;
    }

    private static double Acks(Pair pair) => pair.B.Outgoing.Entered;

    private static Pair Bulk(double roundTrip = 40, ConnectionSettings? ofB = null)
    {
        Pair pair = Between(new ConnectionSettings(), ofB ?? new ConnectionSettings(), 100, roundTrip);
        pair.A.SendNew(ulong.MaxValue / 2);
        return pair;
    }

    /// <summary>Goodput of 10 s; packets back in the first 5 s, and in a second of the next 5.</summary>
    private static (double Megabits, double First, double AckRate) Transfer(CongestionControl control, double megabits, double roundTrip, bool isThinned)
    {
        var settings = new ConnectionSettings { AckThinning = isThinned, Congestion = control };
        using Pair pair = Between(settings, settings, megabits, roundTrip);
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(5));
        double first = Acks(pair);
        pair.Run(TimeSpan.FromSeconds(5));
        return (pair.B.ReadingOf(stream).Bytes * 8 / (pair.Elapsed.TotalSeconds * Megabit), first, (Acks(pair) - first) / 5);
    }

    private static Pair Between(ConnectionSettings a, ConnectionSettings b, double megabits, double roundTrip) => new(new PairSettings
    {
        A = a,
        B = b,
        Link = new LinkSettings { Rate = megabits * Megabit, Delay = TimeSpan.FromMilliseconds(roundTrip / 2), QueueBytes = (int)(megabits * Megabit / 8 * roundTrip / 1000) },
    });
}
