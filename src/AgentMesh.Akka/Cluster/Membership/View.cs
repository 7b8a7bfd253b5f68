using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>What follows from a gossip for one member: who can be reached, who leads, whether all agree. Computed once.</summary>
internal sealed class View
{
    private readonly Gossip _gossip;

    public View(Gossip gossip, UniqueAddress self)
    {
        _gossip = gossip;

        // What a member said that is down now would keep the rest from ever agreeing on its removal.
        HashSet<UniqueAddress> heard = [.. gossip.Members.Where(member => member.Status != MemberStatus.Down).Select(member => member.UniqueAddress)];
        HashSet<UniqueAddress> members = [.. gossip.Members.Select(member => member.UniqueAddress)];
        Unreachable = gossip.Reachability.SeenFrom(self, heard.Contains).Where(members.Contains).ToImmutableHashSet();
    }

    private View(Gossip gossip, ImmutableHashSet<UniqueAddress> unreachable)
    {
        _gossip = gossip;
        Unreachable = unreachable;
    }

    public ImmutableHashSet<UniqueAddress> Unreachable { get; }

    /// <summary>Somebody who counts cannot be reached: until it is back or given up, all cannot agree.</summary>
    public bool IsBlocked => _gossip.Members.Any(member => member.Status is not (MemberStatus.Down or MemberStatus.Exiting) && Unreachable.Contains(member.UniqueAddress));

    /// <summary>Everybody who counts has this version. Members that join need not have it, nor those on their way out.</summary>
    public bool IsConvergent => !IsBlocked && _gossip.Members.All(member => member.Status is not (MemberStatus.Up or MemberStatus.Leaving) || _gossip.SeenBy.Contains(member.UniqueAddress));

    /// <summary>The view of a gossip that differs in nothing but who has seen it.</summary>
    public View SeenByOthers(Gossip gossip) => new(gossip, Unreachable);

    /// <summary>The first reachable member by address among those that are up; before there is one, among those that join.</summary>
    /// <param name="role">Null: of all.</param>
    public Member? Leader(string? role = null)
    {
        Member? joining = null, other = null;
        foreach (Member member in _gossip.Members)
        {
            if (member.Status == MemberStatus.Down || Unreachable.Contains(member.UniqueAddress) || (role is not null && !member.HasRole(role)))
                continue;
            if (member.Status is MemberStatus.Up or MemberStatus.Leaving)
                return member;
            if (member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp)
                joining ??= member;
            other ??= member;
        }

        return joining ?? other;
    }
}
