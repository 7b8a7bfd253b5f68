using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Membership;

/// <summary>Turns gossip into the state that the program sees, and two states into the events between them.</summary>
internal static class StateChanges
{
    public static ClusterEvent.CurrentClusterState StateOf(Gossip gossip, UniqueAddress self)
    {
        ImmutableHashSet<UniqueAddress> unreachable = gossip.Reachability.Unreachable.Remove(self);
        ImmutableDictionary<string, Address>.Builder roleLeaders = ImmutableDictionary.CreateBuilder<string, Address>(StringComparer.Ordinal);
        foreach (string role in gossip.Members.SelectMany(member => member.Roles).Distinct(StringComparer.Ordinal))
        {
            if (gossip.Leader(self, member => member.HasRole(role)) is { } leader)
                roleLeaders[role] = leader.Address;
        }

        return new ClusterEvent.CurrentClusterState(
            gossip.Members,
            [.. gossip.Members.Where(member => unreachable.Contains(member.UniqueAddress))],
            [.. gossip.SeenBy.Select(node => node.Address)],
            gossip.Leader(self)?.Address!,
            roleLeaders.ToImmutable());
    }

    public static IEnumerable<ClusterEvent.IClusterDomainEvent> Between(ClusterEvent.CurrentClusterState before, ClusterEvent.CurrentClusterState after)
    {
        Dictionary<UniqueAddress, Member> old = before.Members.ToDictionary(member => member.UniqueAddress);
        foreach (Member member in after.Members)
        {
            if (!old.TryGetValue(member.UniqueAddress, out Member? was) || was.Status != member.Status)
            {
                if (EventOf(member) is { } change)
                    yield return change;
            }
        }

        HashSet<UniqueAddress> present = [.. after.Members.Select(member => member.UniqueAddress)];
        foreach (Member gone in before.Members.Where(member => !present.Contains(member.UniqueAddress)))
            yield return new ClusterEvent.MemberRemoved(gone.Copy(MemberStatus.Removed), gone.Status);
        foreach (Member member in after.Unreachable.Except(before.Unreachable))
            yield return new ClusterEvent.UnreachableMember(member);
        foreach (Member member in before.Unreachable.Except(after.Unreachable).Where(member => present.Contains(member.UniqueAddress)))
            yield return new ClusterEvent.ReachableMember(after.Members.First(each => each.Equals(member)));
        if (!Equals(before.Leader, after.Leader))
            yield return new ClusterEvent.LeaderChanged(after.Leader);
        foreach (string role in before.AllRoles.Union(after.AllRoles))
        {
            if (!Equals(before.RoleLeader(role), after.RoleLeader(role)))
                yield return new ClusterEvent.RoleLeaderChanged(role, after.RoleLeader(role));
        }
    }

    private static ClusterEvent.IMemberEvent? EventOf(Member member) => member.Status switch
    {
        MemberStatus.Joining => new ClusterEvent.MemberJoined(member),
        MemberStatus.WeaklyUp => new ClusterEvent.MemberWeaklyUp(member),
        MemberStatus.Up => new ClusterEvent.MemberUp(member),
        MemberStatus.Leaving => new ClusterEvent.MemberLeft(member),
        MemberStatus.Exiting => new ClusterEvent.MemberExited(member),
        MemberStatus.Down => new ClusterEvent.MemberDowned(member),
        _ => null,
    };
}
