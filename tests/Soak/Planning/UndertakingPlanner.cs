using System.Globalization;

namespace Soak.Planning;

/// <summary>Arrays, pipes and workflows all the time, and some schedules from the beginning.</summary>
internal sealed class UndertakingPlanner(Random random, int nodes, int seed)
{
    private static readonly TimeSpan PipeTimeout = TimeSpan.FromSeconds(120);

    private int _count;

    public IReadOnlyList<Undertaking> Make(TimeSpan length)
    {
        var all = new List<Undertaking>();
        (string Missed, string Overlap)[] policies = [("all", "allow"), ("skip", "allow"), ("once", "skip"), ("window 2h", "allow"), ("all", "skip"), ("skip", "buffer")];
        foreach ((string missed, string overlap) in policies)
        {
            all.Add(new CronUndertaking(Seconds(0, 5), random.Next(nodes), Tag("cron"), random.Next(nodes), missed, overlap, random.Next(100_000), random.Next(100_000)));
        }

        for (TimeSpan at = Seconds(1, 6); at < length; at += Seconds(3, 9))
        {
            int home = random.Next(nodes), roll = random.Next(10);
            all.Add(roll switch { < 3 => Array(at, home), < 7 => Pipe(at, home), _ => Workflow(at, home) });
        }

        return [.. all.OrderBy(each => each.At)];
    }

    private ArrayUndertaking Array(TimeSpan at, int home)
    {
        int count = random.Next(3, 16);
        return new ArrayUndertaking(at, home, Tag("array"), random.Next(100), count, random.Next(1, 7), random.Next(1000), random.Next(2) == 0);
    }

    private PipeUndertaking Pipe(TimeSpan at, int home)
    {
        string tag = Tag("pipe");
        int blocks = random.Next(3, 20), lines = random.Next(4) == 0 ? random.Next(500, 3_000) : random.Next(1, 60);
        var program = new NumberedLines(tag, blocks, lines, TimeSpan.FromMilliseconds(random.Next(300, 8_000) / blocks));
        return new PipeUndertaking(at, home, tag, [.. Enumerable.Range(0, random.Next(2, 5)).Select(_ => random.Next(nodes))], program, PipeTimeout);
    }

    private WorkflowUndertaking Workflow(TimeSpan at, int home) => new(
        at, home, Tag("workflow"),
        [.. Enumerable.Range(0, random.Next(2, 7)).Select(index => new PlannedStep(random.Next(nodes), random.Next(1_000), [.. Enumerable.Range(0, index).Where(_ => random.Next(5) < 2)], random.Next(2) == 0))]);

    private string Tag(string kind) => string.Create(CultureInfo.InvariantCulture, $"soak-{seed}-{kind}-{++_count}");

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromMilliseconds(Math.Round(1000 * (least + (random.NextDouble() * (most - least)))));
}
