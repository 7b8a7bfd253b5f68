using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class FlowControlTests
{
    private static readonly ConnectionSettings Small = new()
    {
        StreamWindow = 10_000,
        StreamWindowMax = 40_000,
        ClassWindow = 15_000,
        ClassWindowMax = 60_000,
        StreamsPerClassMax = 8,
    };

    [Fact]
    public void Sends_no_byte_beyond_the_allowance_of_a_stream()
    {
        using var puppet = new Puppet(ours: TransportParameters.Of(Small));
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Bulk, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, new byte[50_000]);
        DrainAcked(puppet);
        Assert.Equal(10_000UL, HighestOffset(puppet, stream!));
        puppet.Send(FrameBytes.MaxStreamData(stream!.Id, 12_345));
        DrainAcked(puppet);
        Assert.Equal(12_345UL, HighestOffset(puppet, stream));
        puppet.Send(FrameBytes.MaxStreamData(stream.Id, 11_000)); // smaller means nothing
        puppet.Send(FrameBytes.MaxStreamData(stream.Id, 40_000));
        DrainAcked(puppet);
        Assert.Equal(15_000UL, HighestOffset(puppet, stream)); // now the class is what holds it
    }

    [Fact]
    public void Sends_no_byte_beyond_the_allowance_of_a_class_and_other_classes_go_on()
    {
        using var puppet = new Puppet(ours: TransportParameters.Of(Small));
        ProtocolStream[] streams = [.. Enumerable.Range(0, 4).Select(_ => Open(puppet, StreamClass.Bulk))];
        ProtocolStream control = Open(puppet, StreamClass.Control);
        Array.ForEach(streams, s => puppet.Target.Streams.Write(s, new byte[8_000]));
        DrainAcked(puppet);
        Assert.Equal(15_000, streams.Sum(s => (long)HighestOffset(puppet, s)));
        puppet.Target.Streams.Write(control, new byte[100]);
        DrainAcked(puppet);
        Assert.Equal(100UL, HighestOffset(puppet, control));
        puppet.Send(FrameBytes.MaxData(StreamClass.Bulk, 100_000));
        DrainAcked(puppet);
        Assert.Equal(32_000, streams.Sum(s => (long)HighestOffset(puppet, s)));
    }

    [Fact]
    public void Repeats_and_ends_need_no_allowance()
    {
        using var puppet = new Puppet(ours: TransportParameters.Of(Small with { ClassWindow = 1000 }));
        ProtocolStream stream = Open(puppet, StreamClass.Bulk), other = Open(puppet, StreamClass.Bulk);
        puppet.Target.Streams.Write(stream, new byte[1000]);
        puppet.Target.Streams.Finish(stream);
        puppet.Work();
        puppet.Target.Streams.Write(other, new byte[1000]); // waits for the class
        puppet.Work();
        puppet.Forget().Wait(400); // a probe timeout
        FrameView[] repeated = [.. puppet.Frames.Where(f => f.Type == FrameType.Stream && f.Id == stream.Id)];
        Assert.Equal((0UL, 1000, true), (repeated[0].Offset, repeated.Sum(f => f.Data.Length), repeated[^1].Fin));
        Assert.DoesNotContain(puppet.Frames, f => f.Type == FrameType.Stream && f.Id == other.Id && f.Data.Length > 0);
    }

    [Fact]
    public void A_reader_that_stands_still_bounds_what_is_in_memory_and_on_the_way()
    {
        using var pair = new Pair(new PairSettings { B = Small, Link = new LinkSettings { Loss = 0.05 } });
        pair.B.Reads = _ => false;
        ProtocolStream stream = pair.A.SendNew(1_000_000, StreamClass.Bulk);
        pair.Run(3_000);
        Assert.Equal(10_000UL, stream.Send.FinalSize); // what was ever sent
        Assert.True(stream.Send.Held <= (ulong)pair.A.Streams.SendBuffer);
        long before = pair.A.Outgoing.EnteredBytes;
        pair.Run(3_000);
        Assert.InRange(pair.A.Outgoing.EnteredBytes - before, 0, 2_000); // nothing is tried again and again
        pair.B.Reads = _ => true;
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.Equal(1_000_000UL, pair.B.ReadingOf(stream).Bytes);
    }

    [Fact]
    public void A_reader_of_bulk_that_stands_still_does_not_stop_control()
    {
        using var pair = new Pair(new PairSettings { B = Small });
        pair.B.Reads = stream => stream.Id.Class == StreamClass.Control;
        for (int i = 0; i < 8; i++)
        {
            pair.A.SendNew(100_000, StreamClass.Bulk);
        }

        pair.Run(1_000);
        ProtocolStream control = pair.A.SendNew(50_000, StreamClass.Control);
        pair.Until(() => pair.B.ReadingOf(control).Ended, TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void More_bytes_than_a_stream_allows_close_the_connection()
    {
        using var puppet = new Puppet(Small);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 9_999, [1])).Send(FrameBytes.Stream(Puppet.Ours(0), 10_000, []));
        Assert.True(puppet.Target.IsOpen);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 10_000, [1]));
        puppet.AssertClosed(CloseCodes.FlowControl);
    }

    [Fact]
    public void More_bytes_than_a_class_allows_close_the_connection()
    {
        using var puppet = new Puppet(Small);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 9_999, [1])).Send(FrameBytes.Stream(Puppet.Ours(1), 4_999, [1]));
        Assert.True(puppet.Target.IsOpen);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(1), 5_000, [1]));
        puppet.AssertClosed(CloseCodes.FlowControl);
    }

    [Fact]
    public void A_reset_counts_all_bytes_of_the_stream()
    {
        using var puppet = new Puppet(Small);
        puppet.Send(FrameBytes.Reset(Puppet.Ours(0), 1, 10_000));
        Assert.True(puppet.Target.IsOpen);
        puppet.Send(FrameBytes.Reset(Puppet.Ours(1), 1, 10_001));
        puppet.AssertClosed(CloseCodes.FlowControl);
    }

    [Fact]
    public void Bytes_of_a_stopped_stream_are_given_back_to_the_class()
    {
        using var puppet = new Puppet(Small);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, new byte[1000]));
        puppet.Target.Streams.Stop(puppet.Opened[Puppet.Ours(0).Value], 5, puppet.Now);
        puppet.Work();
        Assert.Equal(5UL, Assert.Single(puppet.Frames, f => f.Type == FrameType.StopSending).Code);
        for (int i = 1; i < 10; i++)
        {
            puppet.Send(FrameBytes.Stream(Puppet.Ours(0), (ulong)i * 1000, new byte[1000]));
        }

        Assert.True(puppet.Target.IsOpen);
        Assert.True(puppet.Frames.Last(f => f.Type == FrameType.MaxData).Value >= 15_000 + 7_500);
    }

    [Fact]
    public void The_window_grows_for_a_fast_reader_on_a_long_way_and_no_further_than_its_maximum()
    {
        using var pair = new Pair(new PairSettings { B = Small, Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(50) } });
        ProtocolStream stream = pair.A.SendNew(1_000_000, StreamClass.Bulk, finish: false);
        pair.Until(() => pair.B.ReadingOf(stream).Bytes == 1_000_000);
        Assert.InRange(stream.Send.Limit, 1_010_001UL, 1_040_000UL); // the last update may still be on its way
    }

    [Fact]
    public void Streams_beyond_the_limit_are_not_opened_and_an_ended_one_makes_room()
    {
        using var pair = new Pair(new PairSettings { B = Small });
        pair.B.OnOpened = s => pair.B.Streams.Finish(s);
        for (int i = 0; i < 8; i++)
        {
            pair.A.SendNew(10, StreamClass.Control, finish: i == 0);
        }

        Assert.False(pair.A.Streams.TryOpen(StreamClass.Control, out _));
        Assert.True(pair.A.Streams.TryOpen(StreamClass.Bulk, out _)); // each class counts for itself
        pair.Until(() => pair.A.Events.Contains(ConnectionEventKind.StreamsAvailable), TimeSpan.FromSeconds(2));
        Assert.True(pair.A.Streams.TryOpen(StreamClass.Control, out _));
        Assert.False(pair.A.Streams.TryOpen(StreamClass.Control, out _));
    }

    [Fact]
    public void Opening_more_streams_than_allowed_closes_the_connection()
    {
        using var puppet = new Puppet(Small);
        puppet.Send(FrameBytes.Stream(Puppet.Ours(7), 0, [1]));
        Assert.Equal(8, puppet.Opened.Count); // those before it are open as well
        puppet.Send(FrameBytes.MaxStreamData(Puppet.Ours(8), 1));
        puppet.AssertClosed(CloseCodes.StreamLimit);
    }

    private static ProtocolStream Open(Puppet puppet, StreamClass streamClass)
    {
        Assert.True(puppet.Target.Streams.TryOpen(streamClass, out ProtocolStream? stream));
        return stream!;
    }

    private static void DrainAcked(Puppet puppet)
    {
        int before;
        puppet.Work();
        do
        {
            before = puppet.Packets.Count;
            puppet.Wait(50).AckAll();
        }
        while (puppet.Packets.Count > before);
    }

    private static ulong HighestOffset(Puppet puppet, ProtocolStream stream) =>
        puppet.Frames.Where(f => f.Type == FrameType.Stream && f.Id == stream.Id).Select(f => f.Offset + (ulong)f.Data.Length).DefaultIfEmpty().Max();

    [Fact]
    public void A_window_grows_while_a_lost_packet_is_repeated()
    {
        using var puppet = new Puppet(new ConnectionSettings { StreamWindow = 10_000, StreamWindowMax = 40_000, ClassWindow = 10_000, ClassWindowMax = 80_000 });
        for (ulong offset = 1_000; offset < 8_000; offset += 1_000)
        {
            puppet.Send(FrameBytes.Stream(Puppet.Ours(0), offset, new byte[1_000]));
        }

        Assert.Contains(puppet.Frames, frame => frame.Type == FrameType.MaxStreamData && frame.Value == 20_000);
        Assert.Contains(puppet.Frames, frame => frame.Type == FrameType.MaxData && frame.Value == 40_000);
    }

    [Fact]
    public void A_reader_that_stands_still_does_not_make_the_window_grow()
    {
        using var puppet = new Puppet(Small);
        for (ulong offset = 0; offset < 10_000; offset += 1_000)
        {
            puppet.Send(FrameBytes.Stream(Puppet.Ours(0), offset, new byte[1_000]));
        }

        Assert.DoesNotContain(puppet.Frames, frame => frame.Type == FrameType.MaxStreamData);
    }
}
