using System.Globalization;

namespace Soak.Planning;

/// <summary>What people do meanwhile. A calculation carries its answer, a program its lines, so that each result can be checked.</summary>
internal sealed class WorkPlanner(Random random, int nodes, SoakOptions options, IReadOnlyList<Fault> faults)
{
    private static readonly TimeSpan VeryShortTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongTimeout = TimeSpan.FromSeconds(45);

    private readonly List<WorkItem> _items = [];
    private int _keys;

    public IReadOnlyList<WorkItem> Make(TimeSpan length)
    {
        TimeSpan at = TimeSpan.FromSeconds(1);
        while (at < length)
        {
            Add(at);
            at += TimeSpan.FromMilliseconds(Math.Round(Math.Min(10, -Math.Log(1 - random.NextDouble()) / options.Rate) * 1000));
        }

        return [.. _items.OrderBy(item => item.At).Select((item, index) => item with { Number = index + 1 })];
    }

    private void Add(TimeSpan at)
    {
        int roll = random.Next(100), home = random.Next(nodes), target = random.Next(nodes);
        switch (roll)
        {
            case < 34:
                _items.Add(Calc(at, home, target));
                break;
            case < 46:
                _items.Add(Echo(at, home, target, WorkKind.Echo));
                break;
            case < 67:
                _items.Add(Changed(Program(at, home, target)));
                break;
            case < 73:
                _items.Add(Program(at, home, target) with { Kind = WorkKind.Grouped, Queue = true, Detach = true, ByCommandLine = false });
                break;
            case < 84:
                Repeat(random.Next(3) == 0 ? Program(at, home, target) : Calc(at, home, target));
                break;
            case < 92:
                _items.Add(Queued(random.Next(2) == 0 ? Program(at, home, target) : Calc(at, home, target)));
                break;
            case < 95:
                _items.Add(Echo(at, home, target, WorkKind.Everywhere));
                break;
            default:
                string look = (string[])["status", "peers", "job list --limit 20"] is var looks ? looks[random.Next(looks.Length)] : "";
                _items.Add(new WorkItem(0, at, home, home, WorkKind.Look, look, null, ShortTimeout, ByCommandLine: true));
                break;
        }
    }

    private WorkItem Calc(TimeSpan at, int home, int target)
    {
        long a = random.Next(1_000_000), b = random.Next(1_000_000), c = random.Next(1_000);
        string line = string.Create(CultureInfo.InvariantCulture, $"calc {a}*{b}+{c}");
        return new WorkItem(0, at, home, target, WorkKind.Calc, line, ((a * b) + c).ToString(CultureInfo.InvariantCulture), random.Next(4) == 0 ? VeryShortTimeout : ShortTimeout, ByCommandLine: random.Next(8) == 0);
    }

    private WorkItem Echo(TimeSpan at, int home, int target, WorkKind kind)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"echo-{random.Next()}");
        string whole = random.Next(4) == 0 ? text + new string('x', random.Next(20_000)) : text;
        return new WorkItem(0, at, home, target, kind, "echo " + whole, whole, ShortTimeout, ByCommandLine: random.Next(8) == 0);
    }

    private WorkItem Program(TimeSpan at, int home, int target)
    {
        int roll = random.Next(10);
        int blocks = random.Next(5, 40), lines = roll switch { < 6 => 1, < 9 => random.Next(2, 50), _ => random.Next(500, 2_000) };
        TimeSpan takes = TimeSpan.FromMilliseconds(random.Next(1_000, 10_000));
        var program = new NumberedLines(string.Create(CultureInfo.InvariantCulture, $"soak-{options.Seed}-{random.Next()}"), blocks, lines, TimeSpan.FromMilliseconds(Math.Floor(takes / blocks / TimeSpan.FromMilliseconds(1))));
        return new WorkItem(0, at, home, target, WorkKind.Program, "", null, LongTimeout, Lines: program, ByCommandLine: random.Next(8) == 0);
    }

    /// <summary>Some are left alone, some are cancelled, some have a second reader.</summary>
    private WorkItem Changed(WorkItem program)
    {
        int roll = random.Next(100);
        TimeSpan later = TimeSpan.FromMilliseconds(random.Next(6_000));
        double share = random.NextDouble();
        return program with
        {
            Detach = random.Next(2) == 0,
            CancelAfter = roll < 20 ? later : null,
            FollowAfter = roll is >= 20 and < 60 ? later : null,
            FollowFrom = roll < 40 ? 0 : share,
        };
    }

    /// <summary>The same again: at the same moment, soon after, and after the home was killed.</summary>
    private void Repeat(WorkItem first)
    {
        WorkItem keyed = first with { Key = string.Create(CultureInfo.InvariantCulture, $"key-{options.Seed}-{++_keys}"), Queue = random.Next(3) == 0 };
        _items.Add(keyed);
        int more = random.Next(1, 4);
        for (int i = 0; i < more; i++)
        {
            TimeSpan at = random.Next(3) switch
            {
                0 => keyed.At,
                1 => keyed.At + TimeSpan.FromMilliseconds(random.Next(5_000)),
                _ => AfterKillOf(keyed.Home, keyed.At) + TimeSpan.FromMilliseconds(random.Next(3_000)),
            };
            _items.Add(keyed with { At = at, ByCommandLine = random.Next(8) == 0 });
        }
    }

    /// <summary>For a device that is away then, where there is one.</summary>
    private WorkItem Queued(WorkItem item)
    {
        Fault? away = faults.FirstOrDefault(fault => fault.Kind is FaultKind.Kill or FaultKind.Down && fault.At <= item.At && item.At < fault.At + fault.Duration);
        return item with { Queue = true, Target = away?.Node ?? item.Target, Detach = random.Next(2) == 0 };
    }

    private TimeSpan AfterKillOf(int node, TimeSpan since) =>
        faults.FirstOrDefault(fault => fault.Node == node && fault.Kind == FaultKind.Kill && fault.At > since) is { } kill ? kill.At + kill.Duration + TimeSpan.FromSeconds(2) : since;
}
