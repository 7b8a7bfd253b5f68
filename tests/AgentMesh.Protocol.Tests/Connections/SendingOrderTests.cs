using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Who is sent first, and how fast.</summary>
public class SendingOrderTests
{
    [Fact]
    public void Control_goes_before_ordinary_and_ordinary_before_bulk()
    {
        using var puppet = new Puppet();
        foreach (StreamClass streamClass in new[] { StreamClass.Bulk, StreamClass.Ordinary, StreamClass.Control })
        {
            puppet.Target.Streams.Write(Open(puppet, streamClass), new byte[2_500]);
        }

        puppet.Work();
        StreamClass[] order = [.. Classes(puppet)];
        Assert.Equal([.. order.Order()], order);
        Assert.Equal(3, order.Distinct().Count());
    }

    [Fact]
    public void A_message_of_control_overtakes_bulk_that_waits()
    {
        using var puppet = new Puppet();
        puppet.Target.Streams.Write(Open(puppet, StreamClass.Bulk), new byte[200_000]);
        puppet.Work(); // as much as the window lets out
        puppet.Forget();
        puppet.Target.Streams.Write(Open(puppet, StreamClass.Control), new byte[100]);
        Assert.Empty(puppet.Work().Packets);
        puppet.Now += TimeSpan.FromMilliseconds(20);
        puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (0, 4)));
        Assert.Equal(StreamClass.Control, Classes(puppet).First());
    }

    [Fact]
    public void Bulk_beside_busy_control_is_slow_and_not_dead()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 10e6, QueueBytes = 30_000 } });
        ProtocolStream control = pair.A.SendNew(ulong.MaxValue / 2, StreamClass.Control), bulk = pair.A.SendNew(ulong.MaxValue / 2, StreamClass.Bulk);
        pair.Run(5_000);
        double share = pair.B.ReadingOf(bulk).Bytes / (double)(pair.B.ReadingOf(bulk).Bytes + pair.B.ReadingOf(control).Bytes);
        Assert.InRange(share, 0.04, 0.09); // a sixteenth
    }

    [Fact]
    public void Streams_of_one_class_share_evenly()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 10e6, Loss = 0.01 } });
        ProtocolStream[] streams = [.. Enumerable.Range(0, 5).Select(_ => pair.A.SendNew(ulong.MaxValue / 2, StreamClass.Bulk))];
        pair.Run(5_000);
        double[] bytes = [.. streams.Select(s => (double)pair.B.ReadingOf(s).Bytes)];
        Assert.All(bytes, b => Assert.InRange(b / bytes.Average(), 0.8, 1.2));
    }

    [Fact]
    public void Lost_bytes_go_before_new_ones_of_the_same_stream()
    {
        using var puppet = new Puppet();
        puppet.Target.Streams.Write(Open(puppet, StreamClass.Ordinary), new byte[100_000]);
        puppet.Work();
        puppet.Now += TimeSpan.FromMilliseconds(20);
        puppet.Forget().Send(FrameBytes.Ack(TimeSpan.Zero, (1, 9)));
        Assert.Equal(0UL, puppet.Frames.First(f => f.Type == FrameType.Stream).Offset);
    }

    [Fact]
    public void No_more_bytes_are_in_flight_than_the_window_allows()
    {
        using var puppet = new Puppet();
        puppet.Target.Streams.Write(Open(puppet, StreamClass.Bulk), new byte[200_000]);
        puppet.Work();
        Assert.Equal(10, puppet.Packets.Count); // the initial window
        Assert.True(puppet.Target.Path.Loss.BytesInFlight <= puppet.Target.Path.Congestion.Window);
        puppet.Wait(50);
        Assert.Equal(10, puppet.Packets.Count);
    }

    [Fact]
    public void Packets_are_spread_over_the_round_trip()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 50e6, Delay = TimeSpan.FromMilliseconds(50) } });
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2, StreamClass.Bulk);
        pair.Run(1_000);
        long window = pair.A.Connection.Path.Congestion.Window;
        long most = 0;
        for (int i = 0; i < 100; i++)
        {
            long before = pair.A.Outgoing.EnteredBytes;
            pair.Run(1);
            most = Math.Max(most, pair.A.Outgoing.EnteredBytes - before);
        }

        // A hundredth of the window is a millisecond's part; without pacing whole windows leave at once.
        Assert.InRange(most, 1, window / 8);
    }

    [Fact]
    public void A_pacer_gives_its_rate_and_no_more()
    {
        var rtt = new RttEstimator();
        rtt.Add(TimeSpan.FromMilliseconds(100), TimeSpan.Zero);
        var congestion = new Cubic(1200);
        congestion.Lost(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)); // no slow start; a window of 8,400
        var pacer = new Pacer();
        TimeSpan now = TimeSpan.FromSeconds(10), end = now + TimeSpan.FromSeconds(2);
        long sent = 0;
        while (now < end)
        {
            pacer.Refill(now, congestion, rtt, 1200);
            if (pacer.CanSend)
            {
                pacer.Sent(1200);
                sent += 1200;
            }
            else
            {
                Assert.True(pacer.NextAt > now);
                now = pacer.NextAt;
            }
        }

        double expected = 2 * 1.25 * congestion.Window / 0.1;
        Assert.InRange(sent, expected - 2400, expected + (17 * 1200)); // and a burst at the start
    }

    private static ProtocolStream Open(Puppet puppet, StreamClass streamClass)
    {
        Assert.True(puppet.Target.Streams.TryOpen(streamClass, out ProtocolStream? stream));
        return stream!;
    }

    private static IEnumerable<StreamClass> Classes(Puppet puppet) => puppet.Frames.Where(f => f.Type == FrameType.Stream).Select(f => f.Id.Class);
}
