using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>What a member knows of the cluster. Immutable; any two can be merged, and merging in any order leads to the same.</summary>
/// <param name="SeenBy">Who has this very version.</param>
/// <param name="Tombstones">Members that were removed: an old copy must not bring them back.</param>
internal sealed record Gossip(
    ImmutableSortedSet<Member> Members, Reachability Reachability, ImmutableHashSet<UniqueAddress> SeenBy, VectorClock Version, ImmutableDictionary<UniqueAddress, long> Tombstones)
{
    public static Gossip Empty { get; } = new(
        ImmutableSortedSet<Member>.Empty, Reachability.Empty, ImmutableHashSet<UniqueAddress>.Empty, VectorClock.Empty, ImmutableDictionary<UniqueAddress, long>.Empty);

    public Member? Find(UniqueAddress node) => Members.FirstOrDefault(member => member.UniqueAddress == node);

    public Gossip Put(Member member) => this with { Members = Members.Remove(member).Add(member) };

    /// <summary>A change by this member; nobody else has seen it yet.</summary>
    public Gossip ChangedBy(UniqueAddress self) => this with { Version = Version.Next(self), SeenBy = [self] };

    public Gossip SeenAlsoBy(UniqueAddress node) => SeenBy.Contains(node) ? this : this with { SeenBy = SeenBy.Add(node) };

    public Gossip Remove(UniqueAddress node, long atUnixMilliseconds) => this with
    {
        Members = Members.Except(Members.Where(member => member.UniqueAddress == node)),
        Reachability = Reachability.Without(node),
        SeenBy = SeenBy.Remove(node),
        Version = Version.Without(node),
        Tombstones = Tombstones.SetItem(node, atUnixMilliseconds),
    };

    public Gossip Prune(long beforeUnixMilliseconds) => Tombstones.Values.Any(at => at < beforeUnixMilliseconds)
        ? this with { Tombstones = Tombstones.RemoveRange(Tombstones.Where(stone => stone.Value < beforeUnixMilliseconds).Select(stone => stone.Key)) }
        : this;

    public Gossip Merge(Gossip other)
    {
        ImmutableDictionary<UniqueAddress, long> tombstones = Tombstones.SetItems(other.Tombstones);
        var members = new SortedDictionary<UniqueAddress, Member>();
        foreach (Member member in Members.Concat(other.Members).Where(member => !tombstones.ContainsKey(member.UniqueAddress)))
            members[member.UniqueAddress] = members.TryGetValue(member.UniqueAddress, out Member? known) ? Member.Further(known, member) : member;
        VectorClock version = Version.Merge(other.Version);
        foreach (UniqueAddress gone in tombstones.Keys)
            version = version.Without(gone);
        return new Gossip(
            [.. members.Values], Reachability.Merge(other.Reachability, members.ContainsKey), ImmutableHashSet<UniqueAddress>.Empty, version, tombstones);
    }

    /// <summary>
    /// Everybody who counts has this version: members that are on their way out need not, members that cannot be reached must be on their way out.
    /// </summary>
    public bool IsConvergent(UniqueAddress self)
    {
        ImmutableHashSet<UniqueAddress> unreachable = Reachability.Unreachable.Remove(self);
        return Members.All(member => member.Status is MemberStatus.Down or MemberStatus.Exiting
            || (!unreachable.Contains(member.UniqueAddress) && (SeenBy.Contains(member.UniqueAddress) || member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp)));
    }

    /// <summary>The first reachable member by address among those that are up; before there is one, among those that join.</summary>
    public Member? Leader(UniqueAddress self, Func<Member, bool>? of = null)
    {
        ImmutableHashSet<UniqueAddress> unreachable = Reachability.Unreachable.Remove(self);
        Member[] reachable = [.. Members.Where(member => member.Status != MemberStatus.Down && !unreachable.Contains(member.UniqueAddress) && (of is null || of(member)))];
        return reachable.FirstOrDefault(member => member.Status is MemberStatus.Up or MemberStatus.Leaving)
            ?? reachable.FirstOrDefault(member => member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp)
            ?? reachable.FirstOrDefault();
    }
}
