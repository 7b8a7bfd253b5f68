namespace Soak.Planning;

/// <summary>Faults one after the other, now and then two at the same time or a kill of all but one, never two at the same node.</summary>
internal sealed class FaultPlanner(Random random, int nodes, int survivor)
{
    /// <summary>Of five nodes, three are left alone at any time, but for a blackout.</summary>
    private const int AtOnceMax = 2;

    private const int BlackoutsInHundred = 4;

    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(8);

    public IReadOnlyList<Fault> Make(TimeSpan length)
    {
        var faults = new List<Fault>();
        TimeSpan at = Lead;
        while (at < length)
        {
            Fault[] active = [.. faults.Where(fault => fault.IsActive(at))];
            if (random.Next(100) < BlackoutsInHundred)
            {
                faults.AddRange(Enumerable.Range(0, nodes).Where(node => node != survivor && active.All(fault => fault.Node != node)).Select(node => new Fault(0, at, node, FaultKind.Kill, DurationOf(FaultKind.Kill))));
            }
            else if (active.Length < AtOnceMax)
            {
                int node = random.Next(nodes);
                FaultKind kind = KindFor(node);
                TimeSpan duration = DurationOf(kind);
                if (active.All(fault => fault.Node != node))
                {
                    faults.Add(new Fault(0, at, node, kind, duration));
                }
            }

            at += Seconds(3, 14);
        }

        return faults;
    }

    private FaultKind KindFor(int node)
    {
        int roll = random.Next(100);
        if (node == survivor)
        {
            return FaultKind.Stop;
        }

        return roll switch { < 50 => FaultKind.Kill, < 80 => FaultKind.Stop, _ => FaultKind.Down };
    }

    private TimeSpan DurationOf(FaultKind kind) => kind switch
    {
        FaultKind.Stop => Seconds(1, 20),

        // Half of them come back at once: the others have not noticed yet that the node was away.
        _ => random.Next(2) == 0 ? TimeSpan.Zero : Seconds(0.5, 15),
    };

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromMilliseconds(Math.Round(1000 * (least + (random.NextDouble() * (most - least)))));
}
