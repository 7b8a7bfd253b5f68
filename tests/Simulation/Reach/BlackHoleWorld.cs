using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>A mebibyte that is sent at once over links that carry only short datagrams, with and without losses.</summary>
internal sealed class BlackHoleWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const int Ipv4Headers = 28;

    public static IReadOnlyList<Bar> Bars { get; } = [];

    public override void Run()
    {
        foreach (int mtu in new[] { 1280, 1124, 576 })
        {
            Whole(mtu);
        }
    }

    private void Whole(int mtu)
    {
        double loss = Chance(0.3) ? 0.03 * Random.NextDouble() : 0;
        TimeSpan delay = Between(Seconds(0.002), Seconds(0.1));
        using var pair = new Pair(new PairSettings
        {
            Seed = Seed,
            Mtu = new MtuSettings(),
            A = new ConnectionSettings { KeepAlive = Seconds(5), IdleTimeout = TimeSpan.Zero },
            B = new ConnectionSettings { IdleTimeout = TimeSpan.Zero },
            Link = new LinkSettings { Mtu = mtu - Ipv4Headers, Loss = loss, Delay = delay, Rate = 100e6 },
        });
        ProtocolStream stream = pair.A.SendNew(1 << 20, StreamClass.Bulk);
        pair.Until(() => pair.B.ReadingOf(stream).Ended, Seconds(60), $"MTU {mtu}, loss {loss}, delay {delay}");
        Measure($"1 MiB over MTU {mtu}{(loss > 0 ? " with losses" : "")}, s", pair.Elapsed);
        Require(pair.A.Connection.Path.DatagramBytes <= mtu - Ipv4Headers, pair.Describe($"datagrams of {pair.A.Connection.Path.DatagramBytes} over MTU {mtu}"));
        Steps += pair.Wakeups;
    }
}
