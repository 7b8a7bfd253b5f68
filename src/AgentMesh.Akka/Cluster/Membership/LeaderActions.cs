namespace Akka.Cluster.Membership;

/// <summary>What the leader does with the members. Pure: gossip in, gossip out.</summary>
internal static class LeaderActions
{
    /// <summary>All members agree: those that join come in, those that leave go out.</summary>
    public static Gossip OnConvergence(Gossip gossip, int membersMin, long nowUnixMilliseconds)
    {
        Gossip next = gossip;
        int up = gossip.Members.Where(member => member.UpNumber != Member.NotUpYet).Select(member => member.UpNumber).DefaultIfEmpty(0).Max();
        bool enough = gossip.Members.Count(member => member.Status is not (MemberStatus.Down or MemberStatus.Exiting)) >= membersMin;
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
                case MemberStatus.Exiting or MemberStatus.Down:
                    next = next.Remove(member.UniqueAddress, nowUnixMilliseconds);
                    break;
            }
        }

        return next;
    }

    /// <summary>Somebody cannot be reached: who joins may come in provisionally.</summary>
    public static Gossip WithoutConvergence(Gossip gossip, UniqueAddress self, int membersMin)
    {
        Gossip next = gossip;
        if (gossip.Members.Count(member => member.Status is not (MemberStatus.Down or MemberStatus.Exiting)) < membersMin)
            return gossip;
        foreach (Member member in gossip.Members.Where(member => member.Status == MemberStatus.Joining && (member.UniqueAddress == self || !gossip.Reachability.Unreachable.Contains(member.UniqueAddress))))
            next = next.Put(member.Copy(MemberStatus.WeaklyUp));
        return next;
    }
}
