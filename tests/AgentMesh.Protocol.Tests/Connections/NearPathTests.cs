using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Tests.Connections;

public class NearPathTests
{
    [Theory]
    [InlineData(0.2, 1024 * 1024)]
    [InlineData(5, 8 * 1024 * 1024)]
    public void No_more_is_in_flight_than_the_distance_can_use(double roundTripMilliseconds, long atMost)
    {
        using var pair = new Pair(new PairSettings
        {
            DatagramBytes = 8000,
            A = new ConnectionSettings { Congestion = CongestionControl.Cubic }, // fills what it may
            Link = new LinkSettings { Delay = TimeSpan.FromMilliseconds(roundTripMilliseconds / 2), Rate = 800e6, QueueBytes = 64 << 20 },
        });
        ProtocolStream stream = pair.A.SendNew(60_000_000);
        long most = 0;
        pair.Until(
            () =>
            {
                most = Math.Max(most, pair.A.Connection.Path.Loss.BytesInFlight);
                return pair.B.ReadingOf(stream).Ended;
            },
            TimeSpan.FromSeconds(20));
        Assert.InRange(most, atMost / 4, atMost);
        Assert.InRange(pair.Elapsed.TotalSeconds, 0.6, 1);
    }
}
