using AgentMesh.Protocol.Streams;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Which share of a link's rate reaches the reader, in virtual time. The figures are printed; only collapse fails.</summary>
public class GoodputTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(100, 20, 0, 0.85)]
    [InlineData(100, 20, 0.1, 0.05)]
    [InlineData(100, 20, 1, 0.05)]
    [InlineData(100, 20, 2, 0.03)]
    [InlineData(20, 20, 5, 0.03)]
    [InlineData(100, 2, 1, 0.3)]
    [InlineData(20, 100, 1, 0.03)]
    [InlineData(5, 40, 2, 0.1)]
    public void Link_is_used(double megabits, double roundTrip, double lossPercent, double atLeast)
    {
        using var pair = new Pair(new PairSettings
        {
            Seed = 7,
            Link = new LinkSettings { Rate = megabits * 1e6, Delay = TimeSpan.FromMilliseconds(roundTrip / 2), Loss = lossPercent / 100, QueueBytes = (int)(megabits * 1e6 / 8 * Math.Max(roundTrip, 5) / 1000) },
        });
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(5));
        double share = pair.B.ReadingOf(stream).Bytes * 8 / (pair.Elapsed.TotalSeconds * megabits * 1e6);
        output.WriteLine($"{megabits} Mbit/s, {roundTrip} ms, {lossPercent} % loss: {share:P1} of the link; window {pair.A.Connection.Path.Congestion.Window / 1000} kB, "
            + $"srtt {pair.A.Connection.Path.Rtt.Smoothed.TotalMilliseconds:0.0} ms, sent {pair.A.Outgoing.Entered}, lost {pair.A.Outgoing.Lost} + {pair.A.Outgoing.Overflowed}, called lost {pair.A.Connection.Path.Loss.PacketsLost}, "
            + $"back {pair.B.Outgoing.Entered}");
        Assert.True(share > atLeast, pair.Describe($"{share:P1}"));
    }
}
