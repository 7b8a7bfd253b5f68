using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class RekeyDuringTransferTests
{
    [Fact]
    public void Keys_are_renewed_again_and_again_under_loss_and_reordering_without_a_byte_lost()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            using var pair = new Pair(new PairSettings
            {
                Seed = seed,
                Rekey = new RekeySettings { Interval = TimeSpan.FromMilliseconds(500), RejectAfter = TimeSpan.FromSeconds(6) },
                Link = new LinkSettings { Loss = 0.1, Reordering = 0.1, Duplication = 0.05, HeldBack = TimeSpan.FromMilliseconds(30), Rate = 2e6 },
            });
            ProtocolStream there = pair.A.SendNew(600_000), back = pair.B.SendNew(600_000);
            pair.Until(() => pair.B.ReadingOf(there).Ended && pair.A.ReadingOf(back).Ended, TimeSpan.FromSeconds(120));
            pair.Run(5_000);
            Assert.True(pair.A.Protector.Epoch >= pair.Elapsed.TotalSeconds * 0.4, pair.Describe($"epoch {pair.A.Protector.Epoch}"));
            Assert.InRange(pair.A.Protector.Epoch - (double)pair.B.Protector.Epoch, -1, 1);
        }
    }

    [Fact]
    public void Keys_are_renewed_after_a_number_of_packets()
    {
        using var pair = new Pair(new PairSettings { Rekey = new RekeySettings { PacketsMax = 200 }, Link = new LinkSettings { Rate = 20e6, Loss = 0.02 } });
        ProtocolStream stream = pair.A.SendNew(3_000_000);
        pair.Until(() => pair.B.ReadingOf(stream).Ended);
        Assert.InRange(pair.A.Protector.Epoch, 5U, 20U);
    }

    [Fact]
    public void Keys_that_cannot_be_renewed_end_the_connection()
    {
        var settings = new ConnectionSettings { PeerTimeout = TimeSpan.FromSeconds(30), KeepAlive = TimeSpan.Zero };
        using var pair = new Pair(new PairSettings
        {
            A = settings,
            B = settings,
            Rekey = new RekeySettings { Interval = TimeSpan.FromSeconds(2), RejectAfter = TimeSpan.FromSeconds(3) },
        });
        pair.A.SendNew(10, finish: false);
        pair.Run(1_000);
        pair.A.Outgoing.IsCut = pair.B.Outgoing.IsCut = true;
        pair.Run(5_000);
        Assert.Equal(CloseCodes.KeysExpired, pair.A.Closed!.Value.Code);
        Assert.Equal(CloseCodes.KeysExpired, pair.B.Closed!.Value.Code);
    }
}
