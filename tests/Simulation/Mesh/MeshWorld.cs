using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron;
using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;
using Simulation.Pools;
using Simulation.Wire;
using Simulation.World;

namespace Simulation.Mesh;

/// <summary>Devices that are each a home, work for each other and are disturbed: all of it follows from the seed.</summary>
internal abstract class MeshWorld : ILoopWorld
{
    private readonly Dictionary<(MeshNode, MeshNode), TimeSpan> _disturbed = [];
    private readonly Probes _probes;
    private SimDisk? _pool;
    private PoolBeliefs? _beliefs;

    protected MeshWorld(int seed, int nodes, Action<string>? told)
    {
        Loop = new SimLoop(seed) { Told = told };
        Wire = new SimWire(Loop) { Slow = Loop.Chance(0.5) ? Loop.Random.NextDouble() * 0.1 : 0 };
        History = new History(Loop, id => Nodes!.FirstOrDefault(node => id.Contains(node.Id.ToString(), StringComparison.Ordinal))?.Disk ?? _pool!);
        Nodes = [.. Enumerable.Range(0, nodes).Select(number => new MeshNode(Loop, Wire, number, _ => History))];
        DeviceId[] ids = [.. Nodes.Select(node => node.Id)];
        Callers = [.. Nodes.Select(node => new SimCaller(Loop, node, ids, History) { Pause = 4, HasArrays = false })];
        foreach (MeshNode node in Nodes)
        {
            node.Know(Nodes);
            History.Groups.Watch(node.Disk);
        }

        _probes = new Probes(Loop, Nodes, (one, other) => Wire.IsOpen(one.Id, other.Id) && Wire.IsOpen(other.Id, one.Id) ? Loop.Now - UndisturbedSince(one, other) : TimeSpan.Zero, () => SettleWithin, Note);
    }

    public SimLoop Loop { get; }

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    protected SimWire Wire { get; }

    protected History History { get; }

    protected IReadOnlyList<MeshNode> Nodes { get; }

    protected IReadOnlyList<SimCaller> Callers { get; }

    /// <summary>Before anything goes wrong.</summary>
    protected virtual TimeSpan Start => TimeSpan.FromSeconds(6);

    /// <summary>How long things go wrong.</summary>
    protected virtual TimeSpan Storm => TimeSpan.FromSeconds(60);

    /// <summary>Until everything that can end has ended, and the mesh is one again.</summary>
    protected virtual TimeSpan Calm => TimeSpan.FromSeconds(75);

    /// <summary>
    /// Whether jobs are submitted all the time that end at once, to see that two devices to which nothing is done can work for each other whatever is done
    /// to the others.
    /// </summary>
    protected virtual bool HasProbes => false;

    /// <summary>Devices to which nothing was done for so long must work together; it covers what detectors, links and connections take to notice.</summary>
    protected virtual TimeSpan SettleWithin => TimeSpan.FromSeconds(30);

    /// <summary>Jobs whose events were made unreadable.</summary>
    protected virtual IReadOnlySet<string> Unreadable => new HashSet<string>(StringComparer.Ordinal);

    protected virtual IEnumerable<CronId> Crons => [];

    /// <summary>Of the pool that all devices are members of.</summary>
    protected PoolServer? Database { get; private set; }

    protected bool IsStorm => Loop.Now >= Start && Loop.Now < Start + Storm;

    public void Run()
    {
        Loop.After(TimeSpan.Zero, null, () =>
        {
            foreach (MeshNode node in Nodes)
            {
                node.Start();
            }

            foreach (SimCaller caller in Callers)
            {
                caller.UseGroups(placesMost: 4, share: 0.25);
                caller.SubmitAgainAndAgain();
            }

            Begun();
            _beliefs?.LookAgainAndAgain();
            if (HasProbes)
            {
                _probes.Begin(Start + Storm + (Calm / 2));
            }
        });
        Loop.After(Start, null, Disturb);
        Loop.After(Start + Storm, null, EndStorm);
        Loop.RunOnPool(Start + Storm + Calm);
        Check();
    }

    /// <summary>Called once when the storm begins.</summary>
    protected abstract void Disturb();

    protected virtual void Begun()
    {
    }

    protected virtual void StormOver()
    {
    }

    protected virtual void Check()
    {
        foreach (MeshNode node in Nodes)
        {
            foreach (MeshNode other in Nodes)
            {
                Assert.True(node.LifeOf(other.Id) == other.LifeOf(other.Id), $"at the end device {node.Number} knows life {node.LifeOf(other.Id)} of device {other.Number}, which has {other.LifeOf(other.Id)}");
            }
        }

        _beliefs?.Count(Counts);
        Counts["turns given in groups"] = History.Groups.Granted;
        Checker.Check(History, [.. Nodes.Select(node => node.Disk), .. _pool is null ? (SimDisk[])[] : [_pool]], Crons, Unreadable);
        foreach (MeshNode node in Nodes)
        {
            Assert.True(node.Live is { } live && live.Members.Count == Nodes.Count, $"device {node.Number} sees {node.Live?.Members.Count ?? 0} members of {Nodes.Count} at the end");
        }
    }

    protected void Fault(string what)
    {
        Loop.Note(what);
        Counts[what] = Counts.GetValueOrDefault(what) + 1;
    }

    /// <summary>The most of something.</summary>
    protected void Note(string what, int count) => Counts[what] = Math.Max(Counts.GetValueOrDefault(what), count);

    /// <summary>Makes all devices members of a pool.</summary>
    protected void SharePool(string name)
    {
        _pool = new SimDisk(Loop);
        History.Groups.Watch(_pool);
        var server = new PoolServer(Loop, _pool, PoolPart.Lease);
        Database = server;
        foreach (MeshNode node in Nodes)
        {
            node.Pool = new PoolPart(name, server, new PoolLink(Loop));
        }

        _beliefs = new PoolBeliefs(Loop, server, Nodes);
    }

    protected void Leave(MeshNode node, double from, double to)
    {
        Touch(node);
        node.Leave(() => Later(from, to, () =>
        {
            if (!node.IsUp)
            {
                Touch(node);
                node.Start();
            }
        }));
    }

    protected MeshNode Any() => Nodes[Loop.Random.Next(Nodes.Count)];

    protected void Later(double from, double to, Action act) => Loop.After(Loop.Between(from, to), null, act);

    protected void Cut(MeshNode from, MeshNode to)
    {
        Touch(from, to);
        Wire.Cut(from.Id, to.Id);
    }

    protected void Heal(MeshNode from, MeshNode to)
    {
        Touch(from, to);
        Wire.Heal(from.Id, to.Id);
    }

    protected void CutBetween(IReadOnlyCollection<MeshNode> left, IReadOnlyCollection<MeshNode> right)
    {
        foreach (MeshNode one in left)
        {
            foreach (MeshNode other in right)
            {
                Cut(one, other);
                Cut(other, one);
            }
        }
    }

    protected void HealAll()
    {
        foreach (MeshNode one in Nodes)
        {
            foreach (MeshNode other in Nodes.Where(other => !Wire.IsOpen(one.Id, other.Id)))
            {
                Heal(one, other);
            }
        }
    }

    protected void Restart(MeshNode node, double from, double to, bool keepsPrograms)
    {
        Touch(node);
        node.Kill(keepsPrograms);
        Later(from, to, () =>
        {
            if (!node.IsUp)
            {
                Touch(node);
                node.Start();
            }
        });
    }

    protected void Pause(MeshNode node, double from, double to)
    {
        Touch(node);
        node.Stop();
        Later(from, to, () =>
        {
            Touch(node);
            node.Continue();
        });
    }

    /// <summary>Since when nothing has been done to either and to the lines between them.</summary>
    protected TimeSpan UndisturbedSince(MeshNode one, MeshNode other) => _disturbed.GetValueOrDefault((one, other));

    private void Touch(MeshNode node)
    {
        foreach (MeshNode other in Nodes)
        {
            Touch(node, other);
        }
    }

    private void Touch(MeshNode one, MeshNode other)
    {
        _disturbed[(one, other)] = Loop.Now;
        _disturbed[(other, one)] = Loop.Now;
    }

    private void EndStorm()
    {
        HealAll();
        StormOver();
        Wire.Slow = 0;
        foreach (SimCaller caller in Callers)
        {
            caller.IsTired = true;
        }

        foreach (MeshNode node in Nodes)
        {
            node.Disk.Mood = DiskMood.Well;
            if (!node.IsRunning)
            {
                Touch(node);
            }

            node.Continue();
            if (!node.IsUp)
            {
                node.Start();
            }
        }
    }
}
