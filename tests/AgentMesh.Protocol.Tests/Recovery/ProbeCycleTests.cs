using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Tests.Recovery;

public sealed class ProbeCycleTests
{
    private readonly ProbeCycle _cycle = new(seed: 7);

    [Fact]
    public void A_probe_counts_a_round_after_it_was_over()
    {
        _cycle.Refill();
        Assert.False(_cycle.IsSample);
        _cycle.Up();
        Assert.True(_cycle.IsSample);
        Assert.False(Round());
        Assert.True(_cycle.IsSample);
        _cycle.Down(TimeSpan.FromSeconds(1), round: 3);
        Assert.False(_cycle.TakeFeedback(isRoundStart: false, isCycling: true, isAppLimited: false));
        Assert.Equal((0, true), (_cycle.Number, _cycle.IsSample));
        Assert.False(Round());
        Assert.Equal((1, false), (_cycle.Number, _cycle.IsSample));
        Assert.False(Round());
        Assert.Equal(1, _cycle.Number);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_probe_with_little_to_send_or_with_another_state_between_does_not_count(bool isCycling, bool isAppLimited)
    {
        _cycle.Up();
        _cycle.Stop();
        Assert.False(_cycle.TakeFeedback(isRoundStart: true, isCycling, isAppLimited));
        Assert.Equal((0, false), (_cycle.Number, _cycle.IsSample));
    }

    [Fact]
    public void After_a_failure_it_goes_as_far_as_the_ceiling_and_at_once_again_where_that_carried()
    {
        _cycle.Up();
        Assert.False(_cycle.EndsCautiously(bytesInFlight: 2_000, ceiling: 1_000));
        _cycle.Failed();
        Assert.False(_cycle.IsSample);
        _cycle.Down(TimeSpan.Zero, round: 0);
        Assert.False(Round());

        _cycle.Refill();
        _cycle.Up();
        Assert.False(_cycle.EndsCautiously(bytesInFlight: 999, ceiling: 1_000));
        Assert.True(_cycle.EndsCautiously(bytesInFlight: 1_000, ceiling: 1_000));
        _cycle.Ended();
        _cycle.Down(TimeSpan.Zero, round: 5);
        Assert.True(Round());

        _cycle.Refill();
        _cycle.Up();
        _cycle.Down(TimeSpan.Zero, round: 9);
        Assert.False(Round());
    }

    [Fact]
    public void A_cautious_probe_that_failed_again_is_not_repeated_at_once()
    {
        _cycle.Up();
        _cycle.Failed();
        Assert.True(_cycle.EndsCautiously(bytesInFlight: 1_000, ceiling: 1_000));
        _cycle.Ended();
        _cycle.Failed();
        _cycle.Down(TimeSpan.Zero, round: 0);
        Assert.False(Round());
    }

    private bool Round() => _cycle.TakeFeedback(isRoundStart: true, isCycling: true, isAppLimited: false);
}
