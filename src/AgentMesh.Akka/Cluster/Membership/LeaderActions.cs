using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>What the leader does with the members. Pure: gossip in, gossip out; the same object when there is nothing to do.</summary>
internal static class LeaderActions
{
    /// <summary>All members agree: those that join come in, those that leave go out.</summary>
    /// <param name="exited">Of the exiting members, those that have finished or cannot be reached; the others still hand over.</param>
    public static Gossip OnConvergence(Gossip gossip, Quorum quorum, IReadOnlySet<UniqueAddress> exited, long nowUnixMilliseconds)
    {
        Gossip next = gossip;
        int up = gossip.Members.Where(member => member.UpNumber != Member.NotUpYet).Select(member => member.UpNumber).DefaultIfEmpty(0).Max();
        bool enough = quorum.IsMet(gossip);
        foreach (Member member in gossip.Members)
        {
            switch (member.Status)
            {
                case MemberStatus.Joining or MemberStatus.WeaklyUp when enough:
                    next = next.Put(member.CopyUp(++up));
                    break;
                case MemberStatus.Leaving:
                    next = next.Put(member.Copy(MemberStatus.Exiting));
                    break;
                case MemberStatus.Down:
                case MemberStatus.Exiting when exited.Contains(member.UniqueAddress):
                    next = next.Remove(member.UniqueAddress, nowUnixMilliseconds);
                    break;
            }
        }

        return next;
    }

    /// <summary>All cannot agree now: who joins may come in provisionally.</summary>
    public static Gossip WithoutConvergence(Gossip gossip, Quorum quorum, Func<Member, bool> mayComeIn)
    {
        Gossip next = gossip;
        if (!quorum.IsMet(gossip))
            return gossip;
        foreach (Member member in gossip.Members.Where(member => member.Status == MemberStatus.Joining && mayComeIn(member)))
            next = next.Put(member.Copy(MemberStatus.WeaklyUp));
        return next;
    }
}

/// <summary>How many members there must be, in all and of each role, before one comes up.</summary>
internal sealed record Quorum(int Members, ImmutableDictionary<string, int> OfRole)
{
    public bool IsMet(Gossip gossip)
    {
        Member[] present = [.. gossip.Members.Where(member => member.Status is not (MemberStatus.Down or MemberStatus.Exiting))];
        return present.Length >= Members && OfRole.All(role => present.Count(member => member.HasRole(role.Key)) >= role.Value);
    }
}
