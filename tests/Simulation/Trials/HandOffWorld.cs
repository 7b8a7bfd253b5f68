using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using Simulation.Mesh;
using Simulation.World;

namespace Simulation.Trials;

/// <summary>
/// The shards of a pool move, because a member goes in good order or comes back, and that is broken by kills and lost connections at any moment. For a
/// moment two members may own a shard: then the database takes what comes first (docs/pools.md). Cuts and stops have no place here: its leases are no part of the model.
/// </summary>
internal sealed class HandOffWorld : MeshWorld
{
    /// <summary>From a submission, repeated every two seconds, to its acknowledgement, with a fault every 20 s at most.</summary>
    private static readonly TimeSpan AvailableWithin = TimeSpan.FromSeconds(25);

    private static readonly HomeId Pool = HomeId.Pool("p");
    private int _count;

    public HandOffWorld(int seed, Action<string>? told)
        : base(seed, nodes: 3, told) => SharePool(Pool);

    protected override TimeSpan Storm => TimeSpan.FromSeconds(90);

    /// <summary>When the devices are one cluster: before, each has a pool of its own, and only the database would know better.</summary>
    protected override void Begun() => Later(5, 5, Submit);

    protected override void Disturb()
    {
        if (!IsStorm)
        {
            return;
        }

        MeshNode leaving = Any();
        if (leaving.IsUp)
        {
            Fault("a member goes in good order");
            Leave(leaving, 2, 10);
            if (Loop.Chance(0.7))
            {
                Later(0, 0.5, Break);
            }
        }

        Later(20, 30, Disturb);
    }

    private void Break()
    {
        MeshNode victim = Any();
        if (Loop.Chance(0.5) && victim.IsUp)
        {
            Fault("a member is killed meanwhile");
            Restart(victim, 0.1, 12, keepsPrograms: Loop.Chance(0.5));
        }
        else
        {
            Fault("connections are lost meanwhile");
            foreach (MeshNode other in Nodes.Where(other => other != victim))
            {
                Wire.Reset(victim.Id, other.Id);
            }
        }
    }

    private void Submit() => Loop.After(Loop.Between(0.1, 1), null, () =>
    {
        if (Loop.Now > Start + Storm + TimeSpan.FromSeconds(15))
        {
            return;
        }

        string key = $"pool{(++_count).ToString(CultureInfo.InvariantCulture)}";
        MeshNode device = Any();
        var job = JobId.FromIdempotencyKey(Pool, key);
        var spec = new JobSpec(SimAttempts.Probe, new JobTarget(device.Id, "@device", "device"), new Caller(device.Id, "home", "user"), RetryPolicy.Default, JobTimeouts.Default, key, true);
        TimeSpan began = Loop.Now;
        bool isDone = false;
        Ask();
        Submit();

        void Ask()
        {
            if (isDone)
            {
                return;
            }

            Loop.Require(Loop.Now - began < AvailableWithin, () => $"{job} was not taken within {AvailableWithin}");
            Any().Ask(new SubmitJob(job, spec), answer =>
            {
                if (answer is JobAccepted)
                {
                    History.Accepted(key, job.ToString());
                    isDone = true;
                    Loop.Note($"{job} taken {(Loop.Now - began).TotalSeconds:0} s after {began.TotalSeconds:0.0}");
                    Note("slowest acknowledgement, ms", (int)(Loop.Now - began).TotalMilliseconds);
                }
            });
            Loop.After(TimeSpan.FromSeconds(2), null, Ask);
        }
    });
}
