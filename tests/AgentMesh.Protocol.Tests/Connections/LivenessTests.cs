using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class LivenessTests
{
    [Fact]
    public void Open_streams_are_kept_alive_by_a_ping_after_silence()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(10, finish: false);
        pair.Until(() => pair.B.ReadingOf(stream).Bytes == 10);
        pair.Run(1_000);
        long before = pair.A.Outgoing.Entered + pair.B.Outgoing.Entered;
        pair.Run(TimeSpan.FromSeconds(60));
        Assert.True(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen);

        // A ping and its acknowledgement every five seconds, from one side or both.
        Assert.InRange(pair.A.Outgoing.Entered + pair.B.Outgoing.Entered - before, 20, 50);
    }

    [Fact]
    public void Who_waits_to_send_a_question_is_not_woken_to_ask_it()
    {
        var liveness = new Liveness(new ConnectionSettings(), TimeSpan.Zero);
        var needs = new LivenessNeeds(HasStreams: true, HasBackup: false, MappingIdle: null, Liveness.StallMin);
        Assert.Equal(TimeSpan.FromSeconds(5), liveness.NextTimeout(needs, isAsking: false));
        Assert.Equal(TimeSpan.MaxValue, liveness.NextTimeout(needs, isAsking: true));
    }

    [Fact]
    public void Without_streams_both_sides_let_go_after_the_idle_time()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(10);
        pair.B.OnOpened = s => pair.B.Streams.Finish(s);
        pair.Until(() => pair.A.Streams.Count == 0 && pair.B.Streams.Count == 0);
        pair.Run(TimeSpan.FromSeconds(59));
        Assert.True(pair.A.Connection.IsOpen && pair.B.Connection.IsOpen);
        pair.Run(TimeSpan.FromSeconds(3));
        Assert.Equal((CloseCodes.None, "idle"), (pair.A.Closed!.Value.Code, pair.A.Closed.Value.Reason));
        Assert.Equal((CloseCodes.None, "idle"), (pair.B.Closed!.Value.Code, pair.B.Closed.Value.Reason));
        Assert.True(pair.A.Connection.IsDrained && pair.B.Connection.IsDrained);
    }

    [Fact]
    public void Renewing_keys_does_not_count_as_use()
    {
        var settings = new ConnectionSettings { IdleTimeout = TimeSpan.FromSeconds(300) };
        using var pair = new Pair(new PairSettings { A = settings, B = settings });
        pair.Run(TimeSpan.FromSeconds(310));
        Assert.False(pair.A.Connection.IsOpen);
        Assert.True(pair.A.Protector.Epoch >= 1);
    }

    [Fact]
    public void A_peer_that_dies_in_silence_is_noticed_by_keepalive_and_timeout()
    {
        using var pair = new Pair();
        ProtocolStream stream = pair.A.SendNew(10, finish: false);
        pair.Until(() => pair.B.ReadingOf(stream).Bytes == 10);
        pair.Run(1_000);
        TimeSpan cutAt = pair.Now;
        pair.A.Outgoing.IsCut = pair.B.Outgoing.IsCut = true;
        pair.Until(() => pair.A.Closed is not null && pair.B.Closed is not null, TimeSpan.FromSeconds(15));
        Assert.Equal(CloseCodes.TimedOut, pair.A.Closed!.Value.Code);
        Assert.Equal(CloseCodes.TimedOut, pair.B.Closed!.Value.Code);
        Assert.True(pair.Now - cutAt > TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_peer_that_dies_during_a_transfer_is_noticed_after_the_timeout()
    {
        using var pair = new Pair(new PairSettings { Link = new LinkSettings { Rate = 1e6 } });
        pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(500);
        pair.A.Outgoing.IsCut = true; // one direction is enough
        TimeSpan cutAt = pair.Now;
        pair.Until(() => pair.A.Closed is not null, TimeSpan.FromSeconds(12));
        Assert.Equal(CloseCodes.TimedOut, pair.A.Closed!.Value.Code);
        Assert.InRange((pair.Now - cutAt).TotalSeconds, 9.9, 11.5);
        long sent = pair.A.Outgoing.Entered;
        pair.Run(5_000);
        Assert.Equal(sent, pair.A.Outgoing.Entered);
    }

    [Fact]
    public void Forged_and_repeated_packets_are_no_sign_of_life()
    {
        using var puppet = new Puppet();
        byte[] old = puppet.Seal(FrameBytes.Ping);
        puppet.Target.HandleDatagram([.. old], puppet.Now);
        Assert.True(puppet.Target.Streams.TryOpen(StreamClass.Ordinary, out ProtocolStream? stream));
        puppet.Target.Streams.Write(stream!, [1]);
        puppet.Work();
        for (int i = 0; i < 95; i++)
        {
            puppet.Wait(100);
            Assert.True(puppet.Target.IsOpen);
            puppet.Target.HandleDatagram([.. old], puppet.Now);
            byte[] forged = puppet.Seal(FrameBytes.Ping);
            forged[^1] ^= 1;
            puppet.Target.HandleDatagram(forged, puppet.Now);
        }

        Assert.Equal(190, puppet.Target.Dropped);
        puppet.Wait(600);
        Assert.Equal(CloseCodes.TimedOut, puppet.Target.End.Code);
        Assert.DoesNotContain(puppet.Frames, f => f.Type == FrameType.Close); // nobody would hear it
    }

    [Fact]
    public void A_ping_that_was_lost_before_an_answered_packet_is_owed_no_answer()
    {
        using var puppet = new Puppet();
        puppet.Send(FrameBytes.Stream(Puppet.Ours(0), 0, [1], fin: false));
        puppet.Wait(10).Forget().Wait(5_000);
        ulong ping = Assert.Single(puppet.Packets, p => p.Frames.Exists(f => f.Type == FrameType.Ping)).Number;
        puppet.Target.Streams.Write(puppet.Opened[Puppet.Ours(0).Value], [1]);
        puppet.Work().Wait(20);
        puppet.Send(FrameBytes.Ack(TimeSpan.Zero, (ping + 1, puppet.Packets[^1].Number)));
        Assert.Equal(1, puppet.Target.Path.Loss.PacketsInFlight);
        for (int i = 0; i < 15; i++)
        {
            puppet.Wait(1_000).Send(FrameBytes.Ping);
        }

        Assert.Equal(0, puppet.Target.Path.Loss.PacketsInFlight);
        Assert.True(puppet.Target.IsOpen, puppet.Target.End.ToString());
    }
}
