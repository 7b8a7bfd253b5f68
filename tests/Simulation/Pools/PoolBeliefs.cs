using AgentMesh.Journal;
using Simulation.Engine;
using Simulation.Mesh;

namespace Simulation.Pools;

/// <summary>
/// What members believe, compared with what the database has: who thinks that its lease runs has one that does, and who thinks that it holds a shard is the one who took it with that epoch.
/// A process that is stopped believes nothing; one that goes on is asked before anything else happens to it.
/// </summary>
internal sealed class PoolBeliefs(SimLoop loop, PoolServer server, IReadOnlyList<MeshNode> nodes)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private readonly HashSet<string> _members = new(StringComparer.Ordinal);

    public void LookAgainAndAgain()
    {
        foreach (MeshNode node in nodes)
        {
            if (node.PoolSession is { IsLive: true } session)
            {
                Look(node, session);
            }
        }

        loop.After(LookEvery, null, LookAgainAndAgain);
    }

    public void Count(Dictionary<string, int> counts)
    {
        counts["memberships of the pool"] = _members.Count;
        counts["writes refused for their epoch"] = server.Fenced;
        counts["transactions that were carried out twice"] = server.Repeats;
        counts["transactions that were left open"] = server.Idle;
        counts["shards taken from a member whose lease had run out"] = server.TakenOver;
    }

    private void Look(MeshNode node, PoolSession session)
    {
        string member = session.MemberId;
        _members.Add(member);
        TimeSpan? until = server.LeaseOf(member);
        loop.Require(until > loop.Now, () => $"device {node.Number} believes that its lease runs, and it {(until is null ? "has none" : $"ended {loop.Now - until} ago")}");
        foreach ((LeaseKey key, long epoch) in session.Holdings)
        {
            loop.Require(server.History.OwnerOf(key, epoch) == member, () => $"device {node.Number} believes that it holds {key} with epoch {epoch}, which {server.History.OwnerOf(key, epoch)} took, and is {member}");
        }
    }
}
