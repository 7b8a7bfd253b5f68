using System.Globalization;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using Simulation.Mesh;
using Simulation.Pools;
using Simulation.World;

namespace Simulation.Trials;

/// <summary>
/// The shards of a pool move, because a member goes in good order or comes back, and that is broken at any moment: by kills, stops past the lease, lines that are cut between members
/// or between one and the database, and a database that answers late, whose answers are lost, or which gets a write when its shard has moved, or twice. Leases, epochs and the writer are the product's; the database is a
/// model (docs/simulation.md).
/// </summary>
internal sealed class HandOffWorld : MeshWorld
{
    /// <summary>From a submission, repeated every two seconds, to its acknowledgement: a lease, the decision of the cluster, and how long a line or the way to the database is cut.</summary>
    private static readonly TimeSpan AvailableWithin = TimeSpan.FromSeconds(60);

    private const string PoolName = "p";
    private static readonly HomeId Pool = HomeId.Pool(PoolName);
    private static readonly GroupId Group = new(Pool, "limited");
    private readonly PoolAmbush _ambush;
    private int _count;

    public HandOffWorld(int seed, Action<string>? told)
        : base(seed, nodes: 3, told)
    {
        SharePool(PoolName);
        _ambush = new PoolAmbush(Loop, Database!, Fault);
    }

    protected override TimeSpan Storm => TimeSpan.FromSeconds(90);

    /// <summary>When the devices are one cluster: before, each has a pool of its own, and only the database would know better.</summary>
    protected override void Begun() => Later(5, 5, () =>
    {
        Limit();
        Submit();
    });

    /// <summary>A group of the pool, whose entity moves with its shard; three of its jobs run at a time.</summary>
    private void Limit()
    {
        bool isSet = false;
        Any().Ask(new SetGroup(Group, 3, LiftMax: false, Paused: null), answer => isSet |= answer is GroupView);
        Loop.After(TimeSpan.FromSeconds(2), null, () =>
        {
            if (!isSet)
            {
                Limit();
            }
        });
    }

    protected override void Disturb()
    {
        if (!IsStorm)
        {
            return;
        }

        MeshNode leaving = Any();
        if (leaving.IsUp && Loop.Chance(0.6))
        {
            Fault("a member goes in good order");
            Leave(leaving, 2, 10);
        }

        if (Loop.Chance(0.7))
        {
            Later(0, 0.5, Break);
        }

        if (Loop.Chance(0.5))
        {
            Later(0, 5, TroubleDatabase);
        }

        if (Loop.Chance(0.6))
        {
            Later(0, 10, () => _ambush.Lay(Any()));
        }

        if (Loop.Chance(0.8))
        {
            Later(0, 15, RepeatCommits);
        }

        Later(20, 30, Disturb);
    }

    protected override void StormOver()
    {
        foreach (MeshNode node in Nodes)
        {
            node.Pool!.Link.Waylay = null;
            node.Pool.Link.Repeats = 0;
            Soothe(node.Pool.Link);
        }
    }

    private void Break()
    {
        MeshNode victim = Any();
        MeshNode[] others = [.. Nodes.Where(other => other != victim)];
        switch (Loop.Random.Next(4))
        {
            case 0 when victim.IsUp:
                Fault("a member is killed");
                Restart(victim, 0.1, 12, keepsPrograms: Loop.Chance(0.5));
                break;
            case 1 when victim.IsRunning:
                Fault("a member is stopped");
                Pause(victim, 1, 25);
                break;
            case 2:
                Fault("members are cut off from each other");
                CutBetween([victim], others.Where(_ => Loop.Chance(0.7)).ToArray());
                Later(1, 20, HealAll);
                break;
            default:
                Fault("connections are lost");
                foreach (MeshNode other in others)
                {
                    Wire.Reset(victim.Id, other.Id);
                }

                break;
        }
    }

    private void TroubleDatabase()
    {
        PoolLink link = Any().Pool!.Link;
        if (Loop.Chance(0.5))
        {
            Fault("a member is cut off from the database");
            link.Cut();
        }
        else
        {
            Fault("the database answers late or not at all");
            link.Late = Loop.Random.NextDouble() * 0.2;
            link.Lost = Loop.Random.NextDouble() * 0.3;
        }

        Later(1, 18, () => Soothe(link));
    }

    private void RepeatCommits()
    {
        PoolLink link = Any().Pool!.Link;
        Fault("commits are not answered, and done again");
        link.Repeats = Loop.Random.Next(1, 6);
        Later(1, 10, () => link.Repeats = 0);
    }

    private void Soothe(PoolLink link)
    {
        link.Late = 0;
        link.Lost = 0;
        if (link.IsCut)
        {
            link.Heal(isReset: Loop.Chance(0.5));
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
        var spec = new JobSpec(SimAttempts.Probe, new JobTarget(device.Id, "@device", "device"), new Caller(device.Id, "home", "user"), RetryPolicy.Default, JobTimeouts.Default, key, true)
        {
            Needs = Loop.Chance(0.15) ? JobNeeds.None with { Group = Group.Name } : JobNeeds.None,
        };
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
                if (answer is JobAccepted accepted)
                {
                    Loop.Require(accepted.JobId == job, () => $"who asked for {job} was told of {accepted.JobId}");
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
