using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;
using Xunit.Abstractions;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Links that deliver packets in another order, in virtual time: how many are repeated in vain, and what that costs.</summary>
public class ReorderingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(CongestionControl.Bbr)]
    [InlineData(CongestionControl.Cubic)]
    public void Where_packets_are_held_back_next_to_none_is_repeated_in_vain(CongestionControl congestion)
    {
        long sent = 0, late = 0;
        double least = 1;
        for (int seed = 1; seed <= 8; seed++)
        {
            (LossDetector loss, double share) = Transfer(seed, congestion, new LinkSettings { Reordering = 0.03, HeldBack = TimeSpan.FromMilliseconds(6 + (4 * seed)) });
            sent += loss.PacketsSent;
            late += loss.PacketsLate;
            least = Math.Min(least, share);
        }

        output.WriteLine($"{late} of {sent} repeated in vain, least share {least:P0}");
        Assert.True(late < sent / 400, $"{late} of {sent} packets were repeated in vain"); // 3 % were held back
        Assert.True(least > 0.8, $"{least:P0} of the link");
    }

    [Fact]
    public void What_is_lost_between_packets_out_of_order_is_found_and_repeated()
    {
        for (int seed = 1; seed <= 4; seed++)
        {
            (LossDetector loss, double share) = Transfer(seed, CongestionControl.Bbr, new LinkSettings { Reordering = 0.03, HeldBack = TimeSpan.FromMilliseconds(25), Loss = 0.01 });
            output.WriteLine($"{loss.PacketsLost} of {loss.PacketsSent} called lost, {loss.PacketsLate} of them late, {share:P0} of the link");
            Assert.InRange(loss.PacketsLost - loss.PacketsLate, loss.PacketsSent * 7 / 1000, loss.PacketsSent * 15 / 1000);
            Assert.True(loss.PacketsLate < loss.PacketsSent / 200);
            Assert.True(share > 0.75);
        }
    }

    /// <returns>The sender's detector, and the share of the link that reached the reader.</returns>
    private static (LossDetector Loss, double Share) Transfer(int seed, CongestionControl congestion, LinkSettings link)
    {
        const double rate = 20e6;
        var settings = new ConnectionSettings { Congestion = congestion };
        using var pair = new Pair(new PairSettings { Seed = seed, A = settings, B = settings, Link = link with { Rate = rate, Delay = TimeSpan.FromMilliseconds(20), QueueBytes = 1_000_000 } });
        ProtocolStream stream = pair.A.SendNew(ulong.MaxValue / 2);
        pair.Run(TimeSpan.FromSeconds(5));
        return (pair.A.Connection.Path.Loss, pair.B.ReadingOf(stream).Bytes * 8 / (pair.Elapsed.TotalSeconds * rate));
    }
}
