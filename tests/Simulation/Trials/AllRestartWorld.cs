using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using Simulation.Engine;
using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>
/// All nodes are killed and started at once, while a home has many jobs that are not over and many schedules. The jobs are for a device that was away: none
/// of them has begun, and each must be brought back to do so.
/// </summary>
internal sealed class AllRestartWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    private readonly int _seed = seed;

    /// <summary>As many in every world as docs/trials.md says for one on demand; 0 for what the seed says.</summary>
    private static readonly int Asked =
        int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_REMEMBERED"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked) ? asked : 0;

    private readonly List<CronId> _crons = [];

    /// <summary>Most worlds remember little, so that there can be many of them.</summary>
    private int Jobs => Asked > 0 ? Asked : _seed switch
    {
        _ when _seed % 100 == 0 => 10_000,
        _ when _seed % 10 == 0 => 1_000,
        _ => 100,
    };

    protected override bool HasProbes => true;

    /// <summary>What is asked now comes before what is brought back.</summary>
    protected override TimeSpan SettleWithin => TimeSpan.FromSeconds(5);

    protected override TimeSpan Start => TimeSpan.FromSeconds(20);

    /// <summary>A minute at least in which schedules fire.</summary>
    protected override TimeSpan Storm => TimeSpan.FromSeconds(50);

    /// <summary>All of it in the end, however much it is.</summary>
    protected override TimeSpan Calm => TimeSpan.FromSeconds(65 + (Jobs / 500));

    protected override IEnumerable<CronId> Crons => _crons;

    protected override void Begun()
    {
        // A step of many thousands that wait is not a part of a second that all devices of the world share.
        Loop.StepTicksMax = Math.Clamp(500_000 / Jobs, 20, 500);
        Loop.StepsMax = Math.Max(Loop.StepsMax, Jobs * 2_000L);
        Restart(Nodes[2], 25, 25, keepsPrograms: false);
        Later(2, 2, () => _crons.AddRange(Callers[0].AddManySchedules(20)));
        Later(15, 15, Remember);
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

    /// <summary>As earlier lives of the home have left them.</summary>
    private void Remember()
    {
        var serializer = new MeshSerializer(null!);
        for (int number = 0; number < Jobs; number++)
        {
            string key = $"many{number.ToString(CultureInfo.InvariantCulture)}";
            var job = JobId.FromIdempotencyKey(Nodes[0].Id, key);
            var accepted = new AcceptedEvent(SimClock.Begin + Loop.Now, Callers[0].SpecFor(Nodes[2].Id, key), null);
            Nodes[0].Disk.Plant(new StoredEvent(job.ToString(), 1, serializer.Manifest(accepted), serializer.ToBinary(accepted)));
            History.Accepted(key, job.ToString());
        }
    }
}
