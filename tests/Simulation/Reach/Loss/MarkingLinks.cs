using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using Simulation.Running;

namespace Simulation.Reach.Loss;

/// <summary>
/// Links whose queues mark instead of dropping: two flows that share one, and one flow behind a box that clears the bits of ECN, drops what has them, or marks everything. Its chance is its own, so that
/// the other parts of the scenario do not depend on it.
/// </summary>
internal sealed class MarkingLinks(int seed, Action<string, double> measure, Action<string> note, Action<bool, string> require)
{
    private const int DatagramBytes = 1_228;
    private const string Boxes = "share of the link behind a box that ";

    private readonly Random _random = new(seed + 7_000_000);

    public static IReadOnlyList<Bar> Bars { get; } =
    [
        Bar.AtLeast("link used by both, marked", 0.8),
        Bar.AtLeast("Jain's index with itself, marked", 0.9),
        Bar.AtMost("lost where marks are heeded, share", 0.001),
        Bar.AtLeast(Boxes + "clears the bits", 0.8),
        Bar.AtLeast(Boxes + "drops what asks", 0.8),
        Bar.AtLeast(Boxes + "marks everything", 0.8),
    ];

    /// <returns>Events.</returns>
    public long Run()
    {
        double rate = Between(3e6, 10e6);
        TimeSpan roundTrip = TimeSpan.FromSeconds(Between(0.016, 0.1));
        CongestionControl control = seed % 4 == 3 ? CongestionControl.Cubic : CongestionControl.Bbr;
        long steps = Two(control, rate, roundTrip);
        (string what, Func<EcnCodepoint, EcnCodepoint?> box) = (seed % 3) switch
        {
            0 => ("clears the bits", (Func<EcnCodepoint, EcnCodepoint?>)(_ => EcnCodepoint.NotEct)),
            1 => ("drops what asks", ecn => ecn == EcnCodepoint.NotEct ? ecn : null),
            _ => ("marks everything", ecn => ecn == EcnCodepoint.NotEct ? ecn : EcnCodepoint.Ce),
        };
        return steps + One(what, box, rate, roundTrip);
    }

    private long Two(CongestionControl control, double rate, TimeSpan roundTrip)
    {
        var clock = new EventClock();
        LossyLink forth = Link(clock, rate, roundTrip, null), back = new(clock, new LossyLinkSettings(0, 0, 0, 1), _random);
        var settings = new ConnectionSettings { Congestion = control };
        using var one = new MeshFlow(clock, seed + 4_000_000, settings, forth, back, roundTrip);
        using var other = new MeshFlow(clock, seed + 5_000_000, settings, forth, back, roundTrip);
        TimeSpan began = clock.Now;
        clock.At(began, one.Start);
        clock.At(began + TimeSpan.FromSeconds(Between(0.1, 2)), other.Start);
        clock.Run(began + TimeSpan.FromSeconds(15));
        (long before, long otherBefore) = (one.Delivered, other.Delivered);
        clock.Run(began + TimeSpan.FromSeconds(45));
        double x = one.Delivered - before, y = other.Delivered - otherBefore;
        note($"{control}, {rate / 1e6:0.0} Mbit/s, {roundTrip.TotalMilliseconds:0} ms, marked: {x * 8 / 30 / rate:P0} and {y * 8 / 30 / rate:P0}, {forth.Marked} marks, {forth.Dropped} dropped, {one.Connection!.Path.Ecn.Path.State} and {other.Connection!.Path.Ecn.Path.State}");
        require(forth.Marked > 0, "two flows on a link and the queue marked nothing");
        measure("Jain's index with itself, marked", (x + y) * (x + y) / (2 * ((x * x) + (y * y))));
        measure("link used by both, marked", (x + y) * 8 / 30 / rate);
        NetworkPath[] paths = [.. new[] { one, other }.Select(flow => flow.Connection!.Path)];
        measure("lost where marks are heeded, share", (double)paths.Sum(path => path.Loss.PacketsLost) / paths.Sum(path => path.Loss.PacketsSent));
        return clock.Steps;
    }

    private long One(string what, Func<EcnCodepoint, EcnCodepoint?> box, double rate, TimeSpan roundTrip)
    {
        var clock = new EventClock();
        LossyLink forth = Link(clock, rate, roundTrip, box), back = new(clock, new LossyLinkSettings(0, 0, 0, 1) { Box = box }, _random);
        using var flow = new MeshFlow(clock, seed + 6_000_000, new ConnectionSettings(), forth, back, roundTrip);
        TimeSpan began = clock.Now;
        flow.Start();
        clock.Run(began + TimeSpan.FromSeconds(20)); // what marks everything holds a flow back until it is found out
        long before = flow.Delivered;
        clock.Run(began + TimeSpan.FromSeconds(32));
        require(!flow.IsBroken, $"the connection ended behind a box that {what}: {flow.Connection?.End}");
        require(flow.Connection!.Path.Ecn.Path.State == EcnState.Failed, $"ECN goes on behind a box that {what}");
        measure(Boxes + what, (flow.Delivered - before) * 8 / 12 / rate);
        return clock.Steps;
    }

    /// <summary>A queue that marks at half a round trip (5 ms at least) and drops at three.</summary>
    private LossyLink Link(EventClock clock, double rate, TimeSpan roundTrip, Func<EcnCodepoint, EcnCodepoint?>? box) =>
        new(clock, new LossyLinkSettings(rate, (int)Math.Max(16 * DatagramBytes, 3 * rate / 8 * roundTrip.TotalSeconds), 0, 1)
        {
            MarksAt = TimeSpan.FromSeconds(Math.Max(0.005, roundTrip.TotalSeconds / 2)),
            Box = box,
        }, _random);

    private double Between(double least, double most) => least + ((most - least) * _random.NextDouble());
}
