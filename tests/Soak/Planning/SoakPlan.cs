namespace Soak.Planning;

/// <summary>Everything that a run does, and when: the same for the same options. What comes of it depends on the machine.</summary>
/// <param name="Survivor">The node that is never ended, so that one lives through the whole run.</param>
internal sealed record SoakPlan(int Nodes, int Survivor, TimeSpan Length, IReadOnlyList<Fault> Faults, IReadOnlyList<WorkItem> Work, IReadOnlyList<Undertaking> Undertakings)
{
    public const int NodesOfARun = 5;

    public static SoakPlan Make(SoakOptions options)
    {
        var random = new Random(options.Seed);
        var length = TimeSpan.FromMinutes(options.Minutes);
        int survivor = random.Next(NodesOfARun);
        IReadOnlyList<Fault> ends = new FaultPlanner(random, NodesOfARun, survivor).Make(length);
        IReadOnlyList<Fault> cuts = options.Network ? new CutPlanner(random, NodesOfARun).Make(length) : [];
        IReadOnlyList<Fault> faults = [.. ends.Concat(cuts).OrderBy(fault => fault.At).Select((fault, index) => fault with { Number = index + 1 })];
        return new SoakPlan(NodesOfARun, survivor, length, faults, new WorkPlanner(random, NodesOfARun, options, faults).Make(length), new UndertakingPlanner(random, NodesOfARun, options.Seed).Make(length));
    }

    public IEnumerable<string> Lines() => Faults.Select(fault => (fault.At, Text: fault.ToString())).Concat(Work.Select(item => (item.At, Text: item.ToString()))).Concat(Undertakings.Select(each => (each.At, Text: each.ToString()))).OrderBy(line => line.At).Select(line => line.Text);
}
