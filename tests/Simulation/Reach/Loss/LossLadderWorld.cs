using AgentMesh.Protocol.Connections;
using Simulation.Running;

namespace Simulation.Reach.Loss;

/// <summary>
/// A connection over a link that loses, alone and in bursts, in both directions, from the first datagram of the handshake on; one that shares a link with another like it, or with TCP; and links whose queues mark (<see cref="MarkingLinks"/>).
/// </summary>
internal sealed class LossLadderWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const int DatagramBytes = 1_228;
    private const double LowLoss = 0.02;
    private const double SomeLoss = 0.05;

    public static IReadOnlyList<Bar> Bars { get; } =
    [
        Bar.Within("connected, s", TimeSpan.FromSeconds(8)),
        Bar.AtLeast("share of the link, 0.1 to 2 % lost", 0.8),
        Bar.AtLeast("share of the link, 2 to 5 % lost", 0.5),
        Bar.AtLeast("Jain's index with itself", 0.9),
        Bar.AtLeast("Jain's index with TCP (CUBIC)", 0.9, share: 0.8),
        Bar.AtLeast("Jain's index with TCP (CUBIC)", 0.8),
        Bar.AtLeast("link used by both", 0.8),
        .. MarkingLinks.Bars,
    ];

    public override void Run()
    {
        Climb();
        if (Seed % 2 == 0)
        {
            Share("with itself", Between(Seconds(0.016), Seconds(0.15)), withItself: true);
        }
        else
        {
            Share("with TCP (CUBIC)", Between(Seconds(0.016), Seconds(0.06)), withItself: false);
        }

        Steps += new MarkingLinks(Seed, Measure, Note, Require).Run();
    }

    private void Climb()
    {
        TimeSpan roundTrip = Seconds(Logarithmic(0.016, 0.8));
        double loss = Logarithmic(0.001, 0.25), rate = Logarithmic(2e6, 12e6), burst = Chance(0.5) ? 1 : 1 + (3 * Random.NextDouble());
        var clock = new EventClock();
        LossyLink forth = Link(clock, rate, roundTrip, Between(0.5, 2), loss, burst), back = new(clock, new LossyLinkSettings(0, 0, loss, burst), Random);
        using var flow = new MeshFlow(clock, Seed, new ConnectionSettings(), forth, back, roundTrip);
        string what = $"{rate / 1e6:0.0} Mbit/s, {roundTrip.TotalMilliseconds:0} ms, {loss:P2} lost in bursts of {burst:0.0}";
        Note(what);
        TimeSpan began = clock.Now;
        flow.Start();
        clock.Run(began + Seconds(25), () => flow.Delivered > 0 || flow.IsBroken);
        Require(flow.Delivered > 0, $"{what}: nothing arrived in 25 s");
        Measure("connected, s", clock.Now - began);

        // Startup doubles with each round trip and then looks for three whether there is more.
        clock.Run(clock.Now + Seconds(3) + (12 * roundTrip));
        long before = flow.Delivered;
        TimeSpan since = clock.Now;
        clock.Run(since + Seconds(12) + (15 * roundTrip));
        Require(!flow.IsBroken, $"{what}: the connection ended: {flow.Connection?.End}");
        double share = (flow.Delivered - before) * 8 / (clock.Now - since).TotalSeconds / rate;
        Measure(loss <= LowLoss ? "share of the link, 0.1 to 2 % lost" : loss <= SomeLoss ? "share of the link, 2 to 5 % lost" : "share of the link, 5 to 25 % lost", share);
        Steps += clock.Steps;
    }

    private void Share(string with, TimeSpan roundTrip, bool withItself)
    {
        double rate = Logarithmic(3e6, 7e6), queue = Between(0.5, 3);
        var clock = new EventClock();
        LossyLink forth = Link(clock, rate, roundTrip, queue, loss: 0, burst: 1), back = new(clock, new LossyLinkSettings(0, 0, 0, 1), Random);
        using var one = new MeshFlow(clock, Seed + 1_000_000, new ConnectionSettings(), forth, back, roundTrip);
        using MeshFlow? like = withItself ? new MeshFlow(clock, Seed + 2_000_000, new ConnectionSettings(), forth, back, roundTrip) : null;
        TcpFlow? tcp = withItself ? null : new TcpFlow(clock, isCubic: true, forth, back, roundTrip);
        IFlow other = like ?? (IFlow)tcp!;
        bool isFirst = Chance(0.5);
        TimeSpan began = clock.Now, later = began + Between(Seconds(0.1), Seconds(2));
        clock.At(isFirst ? began : later, one.Start);
        clock.At(isFirst ? later : began, like is null ? tcp!.Start : like.Start);
        clock.Run(began + Seconds(15));
        (long ours, long theirs) = (one.Delivered, other.Delivered);
        clock.Run(began + Seconds(45));
        double x = one.Delivered - ours, y = other.Delivered - theirs;
        Note($"{rate / 1e6:0.0} Mbit/s, {roundTrip.TotalMilliseconds:0} ms, queue of {queue:0.0}: {x * 8 / 30 / rate:P0} and {y * 8 / 30 / rate:P0}");
        Measure($"Jain's index {with}", (x + y) * (x + y) / (2 * ((x * x) + (y * y))));
        Measure("link used by both", (x + y) * 8 / 30 / rate);
        Steps += clock.Steps;
    }

    /// <param name="queue">In round trips of the link's rate; a few datagrams at least.</param>
    private LossyLink Link(EventClock clock, double rate, TimeSpan roundTrip, double queue, double loss, double burst) =>
        new(clock, new LossyLinkSettings(rate, (int)Math.Max(8 * DatagramBytes, queue * rate / 8 * roundTrip.TotalSeconds), loss, burst), Random);

    private double Logarithmic(double least, double most) => least * Math.Pow(most / least, Random.NextDouble());

    private double Between(double least, double most) => least + ((most - least) * Random.NextDouble());
}
