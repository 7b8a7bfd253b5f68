using Simulation.Checks;
using Simulation.Engine;
using Simulation.Mesh;
using Simulation.Running;
using Simulation.Wire;

namespace Simulation.Trials;

/// <summary>
/// Two to four devices, in one world of thirty twelve, with nothing to do: what they write to each other in a minute is counted. Then one is killed, stops or is cut off, and it is measured how long the others take to notice:
/// silence must not be bought with that.
/// </summary>
internal sealed class IdleWorld : ILoopWorld
{
    private const string Rate = "writes a second between two";
    private const string Gone = "s until it is taken out";

    /// <summary>Two heartbeats a second, their answers, and in two seconds what each side says on the link.</summary>
    private const double RateMax = 5.2;

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(60), Counted = TimeSpan.FromSeconds(60), Look = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The settings promise 3 s of silence and 2 s until it is taken out. Besides there are the half second between two heartbeats, that by which the detector lets them be late, and that between two looks at it.
    /// </summary>
    private static readonly TimeSpan GoneMax = TimeSpan.FromSeconds(7);

    private readonly SimWire _wire;
    private readonly List<MeshNode> _nodes;
    private readonly Dictionary<string, List<double>> _measured = new(StringComparer.Ordinal) { [Rate] = [], [Gone] = [] };

    public IdleWorld(int seed, Action<string>? told)
    {
        Loop = new SimLoop(seed) { Told = told };
        _wire = new SimWire(Loop);
        var history = new History(Loop, _ => _nodes![0].Disk);
        _nodes = [.. Enumerable.Range(0, seed % 30 == 0 ? 12 : Loop.Random.Next(2, 5)).Select(number => new MeshNode(Loop, _wire, number, _ => history))];
        _nodes.ForEach(node => node.Know(_nodes));
    }

    public static IReadOnlyList<Bar> Bars { get; } = [Bar.AtMost(Rate, RateMax, 1), Bar.Within(Gone, GoneMax, 1)];

    public SimLoop Loop { get; }

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, List<double>> Measured => _measured;

    public void Run()
    {
        Loop.After(TimeSpan.Zero, null, () => _nodes.ForEach(node => node.Start()));
        Loop.After(Settled, null, Count);
        Loop.RunOnPool(Settled + Counted + TimeSpan.FromSeconds(20));
        Assert.Single(_measured[Rate]);
        Assert.True(_measured[Rate][0] <= RateMax, $"{_measured[Rate][0]:0.00} {Rate} of {_nodes.Count} devices");
        Assert.True(_measured[Gone].Count == _nodes.Count - 1, $"{_measured[Gone].Count} of {_nodes.Count - 1} have noticed");
        Assert.All(_measured[Gone], seconds => Assert.True(seconds <= GoneMax.TotalSeconds, $"{seconds:0.00} {Gone}"));
    }

    private void Count()
    {
        Loop.Require(_nodes.TrueForAll(node => node.Live?.Members.Count == _nodes.Count), () => "the devices have not met");
        int before = _wire.Writes, pairs = _nodes.Count * (_nodes.Count - 1) / 2;
        Loop.After(Counted, null, () =>
        {
            _measured[Rate].Add((_wire.Writes - before) / Counted.TotalSeconds / pairs);

            // At any time between two heartbeats.
            Loop.After(Loop.Between(0, 1), null, TakeAway);
        });
    }

    private void TakeAway()
    {
        MeshNode gone = _nodes[Loop.Random.Next(_nodes.Count)];
        MeshNode[] others = [.. _nodes.Where(node => node != gone)];
        int way = Loop.Random.Next(3);
        string what = way switch { 0 => "killed", 1 => "stopped", _ => "cut off" };
        Counts[what] = 1;
        Loop.Note($"{gone.Number} {what}");
        if (way == 0)
        {
            gone.Kill(keepsPrograms: false);
        }
        else if (way == 1)
        {
            gone.Stop();
        }
        else
        {
            foreach (MeshNode other in others)
            {
                _wire.Cut(gone.Id, other.Id);
                _wire.Cut(other.Id, gone.Id);
            }
        }

        TimeSpan since = Loop.Now;
        foreach (MeshNode other in others)
        {
            Notice(other, since);
        }
    }

    private void Notice(MeshNode other, TimeSpan since)
    {
        if (other.Live is { } live && live.Members.Count < _nodes.Count)
        {
            _measured[Gone].Add((Loop.Now - since).TotalSeconds);
        }
        else
        {
            Loop.After(Look, null, () => Notice(other, since));
        }
    }
}
