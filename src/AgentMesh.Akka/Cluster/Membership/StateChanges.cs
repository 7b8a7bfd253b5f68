using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Membership;

/// <summary>Turns gossip into the state that the program sees, and two states into the events between them.</summary>
internal static class StateChanges
{
    public static ClusterEvent.CurrentClusterState StateOf(Gossip gossip, View view)
    {
        ImmutableDictionary<string, Address>.Builder roleLeaders = ImmutableDictionary.CreateBuilder<string, Address>(StringComparer.Ordinal);
        foreach (string role in gossip.Members.SelectMany(member => member.Roles).Distinct(StringComparer.Ordinal))
        {
            if (view.Leader(role) is { } leader)
                roleLeaders[role] = leader.Address;
        }

        return new ClusterEvent.CurrentClusterState(
            gossip.Members,
            [.. gossip.Members.Where(member => view.Unreachable.Contains(member.UniqueAddress))],
            SeenBy(gossip),
            view.Leader()?.Address!,
            roleLeaders.ToImmutable());
    }

    public static ImmutableHashSet<Address> SeenBy(Gossip gossip) => [.. gossip.SeenBy.Select(node => node.Address)];

    /// <summary>Members first, then who can be reached, then leaders. An earlier incarnation is removed before the next one joins.</summary>
    public static IEnumerable<ClusterEvent.IClusterDomainEvent> Between(ClusterEvent.CurrentClusterState before, ClusterEvent.CurrentClusterState after)
    {
        Dictionary<UniqueAddress, Member> old = before.Members.ToDictionary(member => member.UniqueAddress);
        Dictionary<UniqueAddress, Member> present = after.Members.ToDictionary(member => member.UniqueAddress);
        HashSet<Address> addresses = [.. after.Members.Select(member => member.Address)];
        Member[] gone = [.. before.Members.Where(member => !present.ContainsKey(member.UniqueAddress))];
        foreach (Member member in gone.Where(member => addresses.Contains(member.Address)))
            yield return new ClusterEvent.MemberRemoved(member.Copy(MemberStatus.Removed), member.Status);
        foreach (Member member in after.Members)
        {
            if ((!old.TryGetValue(member.UniqueAddress, out Member? was) || was.Status != member.Status) && EventOf(member) is { } change)
                yield return change;
        }

        foreach (Member member in gone.Where(member => !addresses.Contains(member.Address)))
            yield return new ClusterEvent.MemberRemoved(member.Copy(MemberStatus.Removed), member.Status);
        foreach (Member member in after.Unreachable.Except(before.Unreachable))
            yield return new ClusterEvent.UnreachableMember(member);
        foreach (Member member in before.Unreachable.Except(after.Unreachable))
        {
            if (present.TryGetValue(member.UniqueAddress, out Member? now))
                yield return new ClusterEvent.ReachableMember(now);
        }

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
