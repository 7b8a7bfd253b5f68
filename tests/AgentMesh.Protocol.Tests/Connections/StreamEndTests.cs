using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class StreamEndTests
{
    [Fact]
    public void One_direction_ends_and_the_other_goes_on()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(1000);
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.Equal(1, pair.A.Streams.Count);
        ProtocolStream back = pair.B.Opened[stream.Id.Value];
        pair.B.Send(back, 30_000);
        pair.Until(() => pair.A.ReadingOf(stream).Ended);
        Assert.Equal(30_000UL, pair.A.ReadingOf(stream).Bytes);
        pair.Until(() => pair.A.Streams.Count == 0 && pair.B.Streams.Count == 0, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void A_reset_reaches_the_reader_with_its_code_and_frees_both_sides()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            using var pair = new Pair(new PairSettings { Seed = seed, Link = new LinkSettings { Loss = 0.2, Rate = 1e6 } });
            ProtocolStream stream = pair.A.SendNew(500_000, finish: false);
            pair.B.OnOpened = s => pair.B.Streams.Finish(s);
            pair.Run(200);
            pair.A.Streams.Reset(stream, 77);
            pair.Until(() => pair.B.ReadingOf(stream).ResetCode == 77, TimeSpan.FromSeconds(10));
            pair.Until(() => pair.A.Streams.Count == 0 && pair.B.Streams.Count == 0, TimeSpan.FromSeconds(10), "streams are left over");
            Assert.True(pair.B.ReadingOf(stream).Bytes < 500_000);
        }
    }

    [Fact]
    public void A_reader_that_stops_makes_the_writer_stop()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            using var pair = new Pair(new PairSettings { Seed = seed, Link = new LinkSettings { Loss = 0.2, Rate = 1e6 } });
            ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
            pair.B.OnOpened = s => pair.B.Streams.Finish(s);
            pair.Run(200);
            pair.B.Streams.Stop(pair.B.Opened[stream.Id.Value], 9, pair.Now);
            pair.Until(() => stream.Send.ResetCode == 9, TimeSpan.FromSeconds(10));
            pair.Until(() => pair.A.Streams.Count == 0 && pair.B.Streams.Count == 0, TimeSpan.FromSeconds(10), "streams are left over");
        }
    }

    [Fact]
    public void A_reset_after_everything_was_read_changes_nothing()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1, 2, 3], fin: true));
        ProtocolStream stream = puppet.Opened[Puppet.Ours(0).Value];
        Assert.Equal([1, 2, 3], puppet.Read(stream));
        Assert.Empty(puppet.Read(stream));
        puppet.Send(FrameBytes.Reset(Puppet.Ours(0), 5, 3));
        Assert.True(puppet.Target.IsOpen);
        Assert.True(stream.Receive.IsDone);
        Assert.Null(stream.Receive.ResetCode);
    }

    [Fact]
    public void A_reset_before_everything_was_read_cuts_the_stream_short()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1, 2, 3], fin: true));
        puppet.Send(FrameBytes.Reset(Puppet.Ours(0), 5, 3));
        ProtocolStream stream = puppet.Opened[Puppet.Ours(0).Value];
        Assert.Empty(puppet.Read(stream));
        Assert.Equal(5UL, stream.Receive.ResetCode);
    }

    [Fact]
    public void A_reset_by_the_writer_after_all_was_acknowledged_is_not_sent()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1, 2, 3]);
        puppet.Target.Streams.Finish(stream!);
        puppet.Work().AckAll();
        puppet.Target.Streams.Reset(stream!, 5);
        puppet.Work();
        Assert.DoesNotContain(puppet.Frames, f => f.Type == FrameType.ResetStream);
    }

    [Fact]
    public void An_empty_stream_is_a_bare_end()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(0);
        pair.Until(() => pair.B.ReadingOf(stream).Ended, TimeSpan.FromSeconds(1));
        Assert.Equal(0UL, pair.B.ReadingOf(stream).Bytes);
    }

    [Fact]
    public void A_bare_end_may_be_acknowledged_before_the_bytes_ahead_of_it()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1, 2, 3]);
        puppet.Work();
        puppet.Target.Streams.Finish(stream!);
        puppet.Work();
        Assert.Equal([false, true], puppet.Frames.Where(f => f.Type == FrameType.Stream).Select(f => f.Fin));
        puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (1, 1)));
        Assert.False(stream!.Send.IsDone);
        puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (0, 1)));
        Assert.True(stream.Send.IsDone);
    }

    [Fact]
    public void A_final_size_that_changes_closes_the_connection()
    {
        byte[][][] violations =
        [
            [FrameBytes.Stream(Puppet.Ours(0), 0, new byte[10], fin: true), FrameBytes.Stream(Puppet.Ours(0), 10, [1])],
            [FrameBytes.Stream(Puppet.Ours(0), 0, new byte[10], fin: true), FrameBytes.Stream(Puppet.Ours(0), 0, new byte[9], fin: true)],
            [FrameBytes.Stream(Puppet.Ours(0), 0, new byte[10]), FrameBytes.Stream(Puppet.Ours(0), 0, new byte[9], fin: true)],
            [FrameBytes.Stream(Puppet.Ours(0), 0, new byte[10]), FrameBytes.Reset(Puppet.Ours(0), 1, 9)],
            [FrameBytes.Stream(Puppet.Ours(0), 0, new byte[10], fin: true), FrameBytes.Reset(Puppet.Ours(0), 1, 11)],
            [FrameBytes.Reset(Puppet.Ours(0), 1, 10), FrameBytes.Reset(Puppet.Ours(0), 1, 11)],
            [FrameBytes.Reset(Puppet.Ours(0), 1, 10), FrameBytes.Stream(Puppet.Ours(0), 10, [1])],
        ];
        foreach (byte[][] frames in violations)
        {
            using var puppet = new Puppet();
            puppet.Send(frames[0]);
            Assert.True(puppet.Target.IsOpen);
            puppet.Send(frames[1]);
            puppet.AssertClosed(CloseCodes.FinalSize);
        }
    }

    [Fact]
    public void Frames_of_an_ended_stream_are_ignored()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1], fin: true));
        ProtocolStream stream = puppet.Opened[Puppet.Ours(0).Value];
        puppet.Target.Streams.Finish(stream);
        puppet.Read(stream);
        puppet.Read(stream);
        puppet.Work().AckAll();
        Assert.Equal(0, puppet.Target.Streams.Count);
        puppet.Send(
            FrameBytes.Stream(Puppet.Ours(0), 0, [1], fin: true),
            FrameBytes.Stream(Puppet.Ours(0), 5, [1]),
            FrameBytes.Reset(Puppet.Ours(0), 1, 1),
            FrameBytes.Stop(Puppet.Ours(0), 1),
            FrameBytes.MaxStreamData(Puppet.Ours(0), 1 << 20));
        Assert.True(puppet.Target.IsOpen);
        Assert.Equal(0, puppet.Target.Streams.Count);
    }

    [Fact]
    public void Bytes_that_were_readable_do_not_change_when_others_come_for_the_same_offsets()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1, 2, 3]));
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 1, [9, 9, 4]));
        Assert.Equal([1, 2, 3, 4], puppet.Read(puppet.Opened[Puppet.Ours(0).Value]));
        Assert.True(puppet.Target.IsOpen);
    }

    [Fact]
    public void A_stream_in_more_pieces_than_memory_is_kept_for_closes_the_connection()
    {
        using var puppet = new Puppet();
        for (ulong offset = 1; puppet.Target.IsOpen; offset += 2)
        {
            Assert.True(offset < 2 * (ReceiveHalf.GapsMax + 2));
            puppet.Send(FrameBytes.Stream(Puppet.Ours(0), offset, [1]));
        }

        puppet.AssertClosed(CloseCodes.TooManyGaps);
    }
}
