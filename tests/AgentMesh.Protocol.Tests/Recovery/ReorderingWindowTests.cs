using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Recovery;

/// <summary>RFC 8985, section 6.2, step 4: how the reordering window adapts.</summary>
public class ReorderingWindowTests
{
    private readonly RttEstimator _rtt = new();
    private readonly ReorderingWindow _window = new();
    private ulong _next;

    public ReorderingWindowTests() => _rtt.Add(TimeSpan.FromMilliseconds(80), TimeSpan.Zero);

    private double Milliseconds => _window.Time(_rtt).TotalMilliseconds;

    [Fact]
    public void It_is_an_eighth_of_a_round_trip_while_the_order_is_kept_and_then_a_quarter_of_the_least()
    {
        Assert.Equal(10, Milliseconds);
        Assert.False(_window.IsReordering);
        _window.ArrivedBehind(wasCalledLost: false);
        Assert.Equal(20, Milliseconds);
        _rtt.Add(TimeSpan.FromMilliseconds(160), TimeSpan.Zero);
        Assert.Equal(20, Milliseconds);
        Assert.True(_window.IsReordering);
    }

    [Fact]
    public void A_packet_out_of_order_that_was_not_called_lost_changes_nothing_but_that_it_was_seen()
    {
        _window.ArrivedBehind(wasCalledLost: false);
        Round();
        Assert.True(_window.IsReordering);
        Assert.Equal(20, Milliseconds);
    }

    [Fact]
    public void It_grows_once_for_each_round_trip_with_vain_repetitions()
    {
        _next = 10;
        _window.ArrivedBehind(wasCalledLost: true);
        _window.AckDone(largest: 9, _next, _rtt);
        Assert.Equal(40, Milliseconds);
        _window.ArrivedBehind(wasCalledLost: true);
        _window.AckDone(largest: 9, next: 15, _rtt); // what was sent since the first is not acknowledged yet
        Assert.Equal(40, Milliseconds);
        _window.ArrivedBehind(wasCalledLost: true);
        _window.AckDone(largest: 10, next: 20, _rtt);
        Assert.Equal(60, Milliseconds);
    }

    [Fact]
    public void It_grows_up_to_a_round_trip()
    {
        for (int i = 0; i < 20; i++)
        {
            _window.ArrivedBehind(wasCalledLost: true);
            Round();
        }

        Assert.Equal(_rtt.Smoothed, _window.Time(_rtt));
        for (int i = 0; i < 40; i++)
        {
            _rtt.Add(TimeSpan.FromMilliseconds(400), TimeSpan.Zero);
        }

        Assert.Equal(80, Milliseconds); // it did not go on growing unseen
    }

    [Fact]
    public void After_sixteen_recoveries_without_a_vain_repetition_it_is_a_quarter_again()
    {
        _window.ArrivedBehind(wasCalledLost: true);
        Round();
        Recover(ReorderingWindow.RecoveriesMax - 1);
        Assert.Equal(40, Milliseconds);
        Recover(1);
        Assert.Equal(20, Milliseconds);
        Assert.True(_window.IsReordering);
    }

    [Fact]
    public void Another_vain_repetition_counts_the_recoveries_from_the_beginning()
    {
        _window.ArrivedBehind(wasCalledLost: true);
        Round();
        Recover(ReorderingWindow.RecoveriesMax - 1);
        _window.ArrivedBehind(wasCalledLost: true);
        Round();
        Assert.Equal(60, Milliseconds);
        Recover(ReorderingWindow.RecoveriesMax - 1);
        Assert.Equal(60, Milliseconds);
        Recover(1);
        Assert.Equal(20, Milliseconds);
    }

    [Fact]
    public void Losses_of_one_round_trip_are_one_recovery()
    {
        _window.ArrivedBehind(wasCalledLost: true);
        Round();
        for (int i = 0; i < ReorderingWindow.RecoveriesMax; i++)
        {
            _window.Lost(_next + 100);
            _window.AckDone(_next++, _next, _rtt);
        }

        Assert.Equal(40, Milliseconds);
    }

    private void Recover(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _window.Lost(_next);
            Round();
        }
    }

    /// <summary>All that was sent is acknowledged, and more is sent.</summary>
    private void Round()
    {
        _window.AckDone(_next, _next + 10, _rtt);
        _next += 10;
    }
}
