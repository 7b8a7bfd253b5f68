using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Recovery;

/// <summary>What the counts of the other side are compared with.</summary>
public class EcnSenderTests
{
    private readonly EcnPath _path = new();
    private readonly EcnSender _sender;
    private readonly List<SentPacket> _sent = [];
    private readonly Queue<SentPacket> _open = new();

    public EcnSenderTests() => _sender = new EcnSender(_path);

    [Fact]
    public void Ten_packets_ask_and_then_none_until_one_has_arrived()
    {
        Assert.Equal(EcnPath.TestPackets, _path.SendMax);
        Send(10);
        Assert.Equal(0, _path.SendMax);
        Ack(1, new EcnCountsFrame(1, 0, 0));
        Assert.Equal((EcnState.Capable, int.MaxValue), (_path.State, _path.SendMax));
    }

    [Theory]
    [InlineData(3, 0, 0, true)]
    [InlineData(2, 0, 1, true)]
    [InlineData(5, 0, 0, true)] // packets of which the acknowledgement was lost
    [InlineData(2, 0, 0, false)] // one came with its bits cleared
    [InlineData(0, 0, 0, false)]
    [InlineData(0, 3, 0, false)] // rewritten
    [InlineData(3, 1, 0, false)]
    [InlineData(6, 0, 0, false)] // of more than were sent
    [InlineData(3, 0, 3, false)]
    public void Counts_add_up_or_nothing_asks_any_more(ulong ect0, ulong ect1, ulong ce, bool isCapable)
    {
        Send(5);
        Ack(3, new EcnCountsFrame(ect0, ect1, ce));
        Assert.Equal(isCapable ? EcnState.Capable : EcnState.Failed, _path.State);
    }

    [Fact]
    public void An_acknowledgement_without_counts_ends_it()
    {
        Send(5);
        Ack(1, null);
        Assert.Equal(EcnState.Failed, _path.State);
        Assert.Equal(0, _path.SendMax);
    }

    [Fact]
    public void Counts_that_shrink_end_it()
    {
        Send(5);
        Ack(2, new EcnCountsFrame(1, 0, 1));
        Assert.Equal(EcnState.Capable, _path.State);
        Ack(1, new EcnCountsFrame(3, 0, 0));
        Assert.Equal(EcnState.Failed, _path.State);
    }

    [Fact]
    public void A_late_acknowledgement_with_the_counts_of_before_is_not_judged()
    {
        Send(5);
        Ack(2, new EcnCountsFrame(5, 0, 0));
        Ack(3, new EcnCountsFrame(3, 0, 0), isNewest: false);
        Assert.Equal(EcnState.Capable, _path.State);
    }

    [Fact]
    public void A_mark_is_told_once()
    {
        Send(6);
        Assert.Equal(1UL, Ack(3, new EcnCountsFrame(2, 0, 1)));
        Assert.Equal(0UL, Ack(1, new EcnCountsFrame(3, 0, 1)));
        Assert.Equal(2UL, Ack(2, new EcnCountsFrame(3, 0, 3)));
        Assert.Equal(3UL, _sender.Marked);
    }

    [Fact]
    public void A_path_that_marks_everything_says_nothing_about_queues()
    {
        for (ulong i = 1; i <= 40; i++)
        {
            Assert.Equal(EcnState.Testing, _path.State);
            Send(10);
            Assert.Equal(i < 40 ? 10UL : 0, Ack(10, new EcnCountsFrame(0, 0, i * 10))); // heeded, or the queue would stay as it is
        }

        Assert.Equal(EcnState.Failed, _path.State);
    }

    [Fact]
    public void Who_comes_to_a_full_queue_goes_on_asking_until_one_arrives_unmarked()
    {
        Send(10);
        Ack(10, new EcnCountsFrame(0, 0, 10));
        Assert.Equal(EcnPath.TestPackets, _path.SendMax);
        Send(10);
        Assert.Equal(9UL, Ack(10, new EcnCountsFrame(1, 0, 19)));
        Assert.Equal(EcnState.Capable, _path.State);
    }

    [Fact]
    public void When_all_that_asked_were_lost_nothing_asks_any_more()
    {
        Send(10);
        Lose(9);
        Assert.Equal(EcnState.Waiting, _path.State);
        Lose(1);
        Assert.Equal(EcnState.Failed, _path.State);
    }

    [Fact]
    public void One_of_ten_that_arrived_is_enough()
    {
        Send(10);
        Lose(5);
        Ack(1, new EcnCountsFrame(1, 0, 0));
        Lose(4);
        Assert.Equal(EcnState.Capable, _path.State);
    }

    [Fact]
    public void Who_says_little_does_not_wait_for_ten_timeouts()
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(EcnState.Testing, _path.State);
            Send(1);
            _sender.TimedOut(Next);
            Lose(1);
        }

        Assert.Equal(EcnState.Failed, _path.State);
    }

    [Fact]
    public void After_a_probe_timeout_the_test_is_made_again_and_what_was_lost_before_does_not_count()
    {
        Send(10);
        Ack(1, new EcnCountsFrame(1, 0, 0));
        Send(50);
        _sender.TimedOut(Next);
        Assert.Equal((EcnState.Testing, EcnPath.TestPackets), (_path.State, _path.SendMax));
        Lose(59);
        Assert.Equal(EcnState.Testing, _path.State);
        Send(10);
        Lose(10);
        Assert.Equal(EcnState.Failed, _path.State);
    }

    [Fact]
    public void What_became_of_packets_on_the_path_before_says_nothing_about_the_next()
    {
        Send(10);
        Ack(2, new EcnCountsFrame(2, 0, 0));
        var next = new EcnPath();
        _sender.Use(next, Next);
        Send(4);
        Assert.Equal(0UL, Ack(9, new EcnCountsFrame(3, 0, 5))); // eight of the old path, marked or cleared, and one of the new
        Assert.Equal(EcnState.Testing, next.State);
        Assert.Equal(1UL, Ack(2, new EcnCountsFrame(4, 0, 6)));
        Assert.Equal(EcnState.Capable, next.State);
        Assert.Equal(EcnState.Capable, _path.State);
    }

    [Fact]
    public void Huge_counts_do_not_overflow()
    {
        Send(1);
        Ack(1, new EcnCountsFrame((1UL << 62) - 1, (1UL << 62) - 1, (1UL << 62) - 1));
        Assert.Equal(EcnState.Failed, _path.State);
    }

    private ulong Next => _sent.Count == 0 ? 0 : _sent[^1].Number + 1;

    private void Send(int count)
    {
        for (int i = 0; i < count; i++)
        {
            var packet = new SentPacket();
            packet.Reset(Next);
            packet.IsEct = packet.IsAckEliciting = true;
            _sent.Add(packet);
            _open.Enqueue(packet);
            _sender.Sent(packet);
        }
    }

    private ulong Ack(int count, EcnCountsFrame? told, bool isNewest = true)
    {
        for (int i = 0; i < count; i++)
        {
            _sender.Acked(_open.Dequeue());
        }

        return _sender.AckDone(told, isNewest);
    }

    private void Lose(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _sender.Lost(_open.Dequeue());
        }
    }
}
