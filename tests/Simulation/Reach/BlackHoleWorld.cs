using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Reach.Net;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// A direct path that swallows everything, one direction or what is long, in the middle of a transfer, with a relay beside it; and a mebibyte that is sent at once over
/// links that carry only short datagrams, with and without losses.
/// </summary>
internal sealed class BlackHoleWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const int Ipv4Headers = 28;

    private const string Death = "silent death, s", OneWay = "one direction, s", Large = "large packets, s";

    private static readonly NatType[] Boxes = [NatType.None, NatType.FullCone, NatType.AddressRestricted, NatType.PortRestricted];

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.Within(Death, Seconds(2)), Bar.Within(OneWay, Seconds(2)), Bar.Within(Large, Seconds(2))];

    public override void Run()
    {
        Swallowed();
        foreach (int mtu in new[] { 1280, 1124, 576 })
        {
            Whole(mtu);
        }
    }

    private void Swallowed()
    {
        var net = new SimInternet(Random) { Told = Told };
        var beacon = new BeaconHost(net, 30 * Seed) { Delay = Between(Seconds(0.002), Seconds(0.02)) };
        DeviceHost a = Device(1), b = Device(2);
        a.Start(b, dials: true);
        b.Start(a, dials: false);
        Require(net.Until(() => a.IsDirect && b.IsDirect, Seconds(10)) is not null, "no direct path within 10 s");
        a.IsSending = Chance(0.6);
        b.IsSending = !a.IsSending || Chance(0.3);
        net.Run(Between(Seconds(2), Seconds(4)));
        string[] faults = [Death, OneWay, Large];
        Random.Shuffle(faults);
        foreach (string fault in faults)
        {
            Note(fault);
            NetHost mute = Chance(0.5) ? a : b;
            int longest = Random.Next(300, 1_200);
            net.Swallows = (from, to, bytes) => from != beacon && to != beacon && (fault == Death || (fault == OneWay ? from == mute : bytes > longest));
            a.Bulk!.Mark();
            b.Bulk!.Mark();
            net.Run(Seconds(4));
            foreach (DeviceHost reader in new[] { a, b }.Where(device => device == a ? b.IsSending : a.IsSending))
            {
                Require(reader.Peer is not null, $"{fault}: the session is over: {a.LastEnd}, {b.LastEnd}");
                Measure(fault, reader.Bulk!.LongestPauseUpToNow);
            }

            net.Swallows = (_, _, _) => false;
            Count(net.Until(() => a.IsDirect && b.IsDirect, Seconds(20)) is null ? "not direct again within 20 s" : "direct again");
        }

        Require((a.Sessions, b.Sessions) == (1, 1), $"{a.Sessions} and {b.Sessions} sessions");
        Steps += net.Datagrams;

        DeviceHost Device(int number) => new(net, beacon, (30 * Seed) + (10 * number), new SimNat(Boxes[Random.Next(Boxes.Length)], IPAddress.Parse($"198.51.100.{number}"), Random))
        {
            Delay = Between(Seconds(0.002), Seconds(0.03)),
            QueueBytes = 8 * 1024,
        };
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
