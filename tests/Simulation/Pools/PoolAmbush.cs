using AgentMesh.Journal;
using Simulation.Engine;
using Simulation.Mesh;

namespace Simulation.Pools;

/// <summary>
/// Holds a write of a member up on its way to the database, and stops the member or cuts it off, until another one has taken the shard: then the write arrives, and whoever sent it goes on. What a network and a
/// machine can do, at the worst moment.
/// </summary>
/// <param name="told">Of each write that is held up.</param>
internal sealed class PoolAmbush(SimLoop loop, PoolServer server, Action<string> told)
{
    /// <summary>Then it arrives where it was sent, as late as that.</summary>
    private static readonly TimeSpan HeldAtMost = TimeSpan.FromSeconds(25);

    /// <summary>For the next write of the member.</summary>
    public void Lay(MeshNode member)
    {
        PoolLink link = member.Pool!.Link;
        link.Waylay = (transaction, begin) => HoldUp(member, link, transaction.Statements[loop.Random.Next(transaction.Statements.Count)].Key, begin);
    }

    private void HoldUp(MeshNode member, PoolLink link, LeaseKey key, Action begin)
    {
        bool isStopped = loop.Chance(0.7), isReleased = false;
        told("a write is held up until its shard has moved");
        if (isStopped)
        {
            member.Stop();
        }
        else
        {
            link.Cut();
        }

        server.WhenMoved(key, Release);
        loop.After(HeldAtMost, null, Release);

        void Release()
        {
            if (isReleased)
            {
                return;
            }

            isReleased = true;

            // Before the new owner has written, or after it.
            loop.After(loop.Chance(0.5) ? loop.Between(0, 0.02) : loop.Between(0, 2), null, begin);
            if (isStopped)
            {
                loop.After(loop.Between(0, 4), null, member.Continue);
            }
            else if (link.IsCut)
            {
                link.Heal(isReset: false);
            }
        }
    }
}
