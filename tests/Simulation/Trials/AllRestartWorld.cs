using System.Globalization;
using AgentMesh.Mesh.Cron;
using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>All nodes are killed and started at once, while a home has many jobs that are not over and many schedules.</summary>
internal sealed class AllRestartWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    private const int Jobs = 1_000;

    private readonly List<CronId> _crons = [];

    protected override bool HasProbes => true;

    /// <summary>What is asked now comes before what is brought back.</summary>
    protected override TimeSpan SettleWithin => TimeSpan.FromSeconds(5);

    protected override TimeSpan Start => TimeSpan.FromSeconds(20);

    protected override IEnumerable<CronId> Crons => _crons;

    protected override void Begun()
    {
        Later(2, 2, () =>
        {
            for (int job = 0; job < Jobs; job++)
            {
                Callers[0].SubmitOne($"many{job.ToString(CultureInfo.InvariantCulture)}");
            }

            _crons.AddRange(Callers[0].AddManySchedules(20));
        });
    }

    protected override void Disturb()
    {
        Fault("all restarted");
        foreach (MeshNode node in Nodes)
        {
            Restart(node, 0.1, 3, keepsPrograms: Loop.Chance(0.5));
        }
    }

    protected override void StormOver() => Callers[0].DisableSchedules();
}
