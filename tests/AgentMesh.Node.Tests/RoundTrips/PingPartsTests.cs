using AgentMesh.Node.Control;
using AgentMesh.Node.RoundTrips;

namespace AgentMesh.Node.Tests.RoundTrips;

public sealed class PingPartsTests
{
    [Fact]
    public void Questions_beyond_the_burst_wait_for_their_turn()
    {
        var clock = new StandingClock();
        var allowance = new PingAllowance(perSecond: 10, burst: 3, clock);

        Assert.Equal([0, 0, 0, 100, 200], Enumerable.Range(0, 5).Select(_ => allowance.WaitFor().TotalMilliseconds));

        clock.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(0, allowance.WaitFor().TotalMilliseconds);
    }

    [Fact]
    public void A_long_rest_earns_no_more_than_the_burst()
    {
        var clock = new StandingClock();
        var allowance = new PingAllowance(perSecond: 10, burst: 2, clock);
        clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => allowance.WaitFor() == TimeSpan.Zero));
    }

    [Fact]
    public void The_summary_counts_what_was_not_answered_and_takes_the_clock_from_the_quickest()
    {
        var statistics = new PingStatistics();
        statistics.Add(Probe(1, 30, offset: 9));
        statistics.Add(Probe(2, null));
        statistics.Add(Probe(3, 10, offset: 5));
        statistics.Add(Probe(4, 20, offset: 7));

        Assert.Equal(new PingSummaryView(4, 3, 10, 20, 30, null, 5), statistics.Summary());
    }

    [Theory]
    [InlineData(99, null)]
    [InlineData(100, 99.0)]
    [InlineData(200, 198.0)]
    public void The_slowest_hundredth_needs_a_hundred_answers(int answers, double? expected)
    {
        var statistics = new PingStatistics();
        foreach (int time in Enumerable.Range(1, answers).Reverse())
        {
            statistics.Add(Probe(time, time));
        }

        Assert.Equal(expected, statistics.Summary().P99Ms);
    }

    [Fact]
    public void Nothing_answered_has_no_times()
    {
        var statistics = new PingStatistics();
        statistics.Add(Probe(1, null));

        Assert.Equal(new PingSummaryView(1, 0, null, null, null, null, null), statistics.Summary());
    }

    [Fact]
    public void An_answer_keeps_any_clock()
    {
        byte[] bytes = new byte[PingAnswer.Size];
        foreach (long clock in (long[])[long.MinValue, -1, 0, long.MaxValue])
        {
            new PingAnswer(ulong.MaxValue, clock).Write(bytes);
            Assert.Equal(new PingAnswer(ulong.MaxValue, clock), PingAnswer.Read(bytes));
        }
    }

    private static PingProbeView Probe(int sequence, double? time, double? offset = null) => new(sequence, time, offset, "10.0.0.2:14590", "direct", time is null ? "no answer" : null);
}
