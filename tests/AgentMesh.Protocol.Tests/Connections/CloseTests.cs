using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class CloseTests
{
    [Fact]
    public void A_goodbye_reaches_the_other_side_and_both_forget()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(10, finish: false);
        pair.Until(() => pair.B.ReadingOf(stream).Bytes == 10);
        pair.A.Connection.Close(1234, "good night", pair.Now);
        pair.Until(() => pair.B.Closed is not null, TimeSpan.FromSeconds(1));
        Assert.Equal(new ConnectionEnding(true, 1234, "good night"), pair.B.Closed);
        Assert.Equal(new ConnectionEnding(false, 1234, "good night"), pair.A.Closed);
        Assert.True(pair.B.Connection.IsDrained);
        Assert.False(pair.A.Connection.IsDrained);
        pair.Until(() => pair.A.Connection.IsDrained, TimeSpan.FromSeconds(2));
        long sent = pair.A.Outgoing.Entered + pair.B.Outgoing.Entered;
        pair.Run(TimeSpan.FromSeconds(60));
        Assert.Equal(sent, pair.A.Outgoing.Entered + pair.B.Outgoing.Entered);
        Assert.Equal(TimeSpan.MaxValue, pair.A.Connection.NextTimeout());
    }

    [Fact]
    public void A_lost_goodbye_is_said_again_to_who_still_talks()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(1), Rate = 10e6 } });
        pair.B.SendNew(ulong.MaxValue / 2);
        pair.Run(500);
        int lost = 0;
        pair.A.Outgoing.Drops = _ => lost++ < 3;
        pair.A.Connection.Close(5, "bye", pair.Now);
        pair.Until(() => pair.B.Closed is not null, TimeSpan.FromSeconds(1));
        Assert.Equal(5UL, pair.B.Closed!.Value.Code);
    }

    [Fact]
    public void A_goodbye_is_repeated_a_bounded_number_of_times_and_ends()
    {
        using var puppet = new Puppet();
        puppet.Target.Close(5, "bye", puppet.Now);
        puppet.Work();
        for (int i = 0; i < 50; i++)
        {
            puppet.Send(FrameBytes.Ping);
        }

        Assert.Equal(5, puppet.Packets.Count);
        Assert.All(puppet.Frames, f => Assert.Equal(FrameType.Close, f.Type));
        puppet.Now = puppet.Target.NextTimeout();
        puppet.Work();
        Assert.True(puppet.Target.IsDrained);
        puppet.Send(FrameBytes.Ping);
        Assert.Equal(5, puppet.Packets.Count);
    }

    [Fact]
    public void Who_hears_a_goodbye_says_nothing_more()
    {
        using var puppet = new Puppet();
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, new byte[5000]);
        puppet.Send(FrameBytes.Close(7, "over"));
        Assert.Empty(puppet.Packets);
        Assert.True(puppet.Target.IsDrained);
        Assert.Equal(new ConnectionEnding(true, 7, "over"), puppet.Target.End);
        Assert.Single(puppet.Events, e => e.Kind == ConnectionEventKind.Closed);
    }

    [Fact]
    public void Both_may_say_goodbye_at_the_same_time()
    {
        using var pair = new Pair();
        pair.Run(100);
        pair.A.Connection.Close(1, "a", pair.Now);
        pair.B.Connection.Close(2, "b", pair.Now);
        pair.Run(1_000);
        Assert.Equal(new ConnectionEnding(false, 1, "a"), pair.A.Closed);
        Assert.Equal(new ConnectionEnding(false, 2, "b"), pair.B.Closed);
        Assert.True(pair.A.Connection.IsDrained && pair.B.Connection.IsDrained);
    }

    [Fact]
    public void Closing_twice_keeps_the_first_reason()
    {
        using var puppet = new Puppet();
        puppet.Target.Close(1, "first", puppet.Now);
        puppet.Target.Close(2, "second", puppet.Now);
        puppet.Target.EndWithoutAWord(new ConnectionEnding(false, 3, "third"));
        puppet.Work();
        Assert.Equal("first", puppet.Target.End.Reason);
        Assert.Single(puppet.Events, e => e.Kind == ConnectionEventKind.Closed);
    }

    [Fact]
    public void Ending_without_a_word_sends_nothing_and_the_other_side_times_out()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.B.SendNew(10, finish: false);
        pair.Until(() => pair.A.ReadingOf(stream).Bytes == 10);
        pair.Run(100);
        long sent = pair.A.Outgoing.Entered;
        pair.A.Connection.EndWithoutAWord(new ConnectionEnding(false, CloseCodes.Replaced, "replaced"));
        pair.Until(() => pair.B.Closed is not null, TimeSpan.FromSeconds(20));
        Assert.Equal(sent, pair.A.Outgoing.Entered);
        Assert.Equal(CloseCodes.TimedOut, pair.B.Closed!.Value.Code);
    }

    [Fact]
    public void Bytes_sent_before_the_goodbye_are_there_for_a_reader_that_keeps_up()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(5_000);
        pair.Until(() => stream.Send.IsDone);
        pair.A.Connection.Close(0, "done", pair.Now);
        pair.Until(() => pair.B.Closed is not null);
        Assert.True(pair.B.ReadingOf(stream).Ended);
    }

    [Fact]
    public void A_long_reason_is_cut_between_characters_and_a_hostile_one_cannot_command_a_terminal()
    {
        byte[] bytes = FrameBytes.Close(1, new string('ä', 300));
        ReadOnlySpan<byte> source = bytes.AsSpan(1);
        Assert.True(CloseFrame.TryRead(ref source, out CloseFrame close));
        Assert.Equal(new string('ä', 127), close.Reason);
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Close(1, "\u001b[2J\u202egnp.exe\u0007"));
        Assert.DoesNotContain(puppet.Target.End.Reason, c => char.IsControl(c) || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format);
    }
}
