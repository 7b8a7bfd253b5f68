using System.Collections.Immutable;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>Finds the member that runs the coordinator: the oldest one with the role.</summary>
/// <remarks>
/// A member that leaves stays the oldest until it is removed, so that two never run at the same time. Members that are only weakly up count
/// when no other has the role: a device that is alone with its role must not wait for a convergence that has nothing to do with it.
/// </remarks>
internal sealed class OldestMember(string? role)
{
    private ImmutableSortedSet<Member> _members = ImmutableSortedSet.Create(Member.AgeOrdering);
    private ImmutableSortedSet<Member> _weak = ImmutableSortedSet.Create(Member.AgeOrdering);

    public Member? Current => _members.Count > 0 ? _members[0] : _weak.Count > 0 ? _weak[0] : null;

    /// <summary>Members that may host shards.</summary>
    public IEnumerable<Member> Hosts => _members.Concat(_weak).Where(member => member.Status is MemberStatus.Up or MemberStatus.WeaklyUp);

    public void Reset(ClusterEvent.CurrentClusterState state)
    {
        _members = _members.Clear();
        _weak = _weak.Clear();
        foreach (Member member in state.Members)
            Put(member);
    }

    public void Apply(ClusterEvent.IMemberEvent change)
    {
        if (change is ClusterEvent.MemberRemoved)
            Drop(change.Member);
        else
            Put(change.Member);
    }

    private void Put(Member member)
    {
        if (role is not null && !member.HasRole(role))
            return;
        Drop(member);
        if (member.Status is MemberStatus.Up or MemberStatus.Leaving or MemberStatus.Exiting or MemberStatus.Down)
            _members = _members.Add(member);
        else if (member.Status is MemberStatus.WeaklyUp)
            _weak = _weak.Add(member);
    }

    private void Drop(Member member)
    {
        _members = _members.Except(_members.Where(each => each.UniqueAddress == member.UniqueAddress));
        _weak = _weak.Except(_weak.Where(each => each.UniqueAddress == member.UniqueAddress));
    }
}
