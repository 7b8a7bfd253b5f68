using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using Simulation.Engine;
using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>Ten times the usual jobs at once, and a job in the journal whose events make its recovery throw.</summary>
internal sealed class BurstWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    private const int Burst = 300;

    /// <summary>How often the journal may be asked for what cannot be read: once a round of the reviver, and a little.</summary>
    private const int PoisonReadsMax = 16;

    private JobId _poison;

    protected override bool HasProbes => true;

    protected override IReadOnlySet<string> Unreadable => new HashSet<string>(StringComparer.Ordinal) { _poison.ToString() };

    protected override void Begun()
    {
        _poison = JobId.FromIdempotencyKey(Nodes[0].Id, "poison");
        Nodes[0].Disk.ReadsMost = (_poison.ToString(), PoisonReadsMax);
        Nodes[0].Disk.Plant(new StoredEvent(_poison.ToString(), 1, "job-event.accepted-placed.1", [0xff, 0xff, 0xff]));
    }

    protected override void Disturb()
    {
        Fault("burst");
        for (int job = 0; job < Burst; job++)
        {
            Callers[0].SubmitOne($"burst{job.ToString(CultureInfo.InvariantCulture)}");
        }

        Nodes[0].Ask(new GetJob(_poison), _ => { });
        Later(5, 25, () =>
        {
            Fault("restarted");
            Restart(Nodes[0], 0.1, 2, keepsPrograms: true);
        });
    }

    protected override void Check()
    {
        base.Check();
        Assert.True(Nodes[0].Disk.ReadsOf(_poison.ToString()) > 0, $"nobody read {_poison}");
    }
}
