namespace Soak.Planning;

/// <summary>Lost connections: of one pair, in one direction only, of one node with all others, and of two nodes with the other three.</summary>
internal sealed class CutPlanner(Random random, int nodes)
{
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(15);

    public IReadOnlyList<Fault> Make(TimeSpan length)
    {
        var cuts = new List<Fault>();
        for (TimeSpan at = Lead; at < length; at += Seconds(8, 35))
        {
            IReadOnlyList<(int From, int To)> pairs = Pairs();
            cuts.Add(new Fault(0, at, pairs[0].From, FaultKind.Cut, Seconds(1, 25)) { Cuts = pairs });
        }

        return cuts;
    }

    private IReadOnlyList<(int From, int To)> Pairs()
    {
        int[] order = [.. Enumerable.Range(0, nodes)];
        random.Shuffle(order);
        return random.Next(4) switch
        {
            0 => [(order[0], order[1])],
            1 => Between(order[..1], order[1..2]),
            2 => Between(order[..1], order[1..]),
            _ => Between(order[..2], order[2..]),
        };
    }

    private static (int From, int To)[] Between(int[] left, int[] right) => [.. from a in left from b in right from pair in new[] { (a, b), (b, a) } select pair];

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromMilliseconds(Math.Round(1000 * (least + (random.NextDouble() * (most - least)))));
}
