using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>What a member knows of the cluster. Immutable; any two can be merged, and merging in any order leads to the same.</summary>
/// <param name="SeenBy">Who has this very version.</param>
/// <param name="Version">Has entries of members and of tombstones only.</param>
/// <param name="Tombstones">Members that were removed, and when in Unix milliseconds: an old copy must not bring them back.</param>
internal sealed record Gossip(
    ImmutableSortedSet<Member> Members, Reachability Reachability, ImmutableHashSet<UniqueAddress> SeenBy, VectorClock Version, ImmutableDictionary<UniqueAddress, long> Tombstones)
{
    /// <summary>Of more, the oldest are forgotten; keeps gossip small where devices start and end often.</summary>
    public const int TombstonesMax = 100;

    public static Gossip Empty { get; } = new(
        ImmutableSortedSet<Member>.Empty, Reachability.Empty, ImmutableHashSet<UniqueAddress>.Empty, VectorClock.Empty, ImmutableDictionary<UniqueAddress, long>.Empty);

    public Member? Find(UniqueAddress node) => Members.FirstOrDefault(member => member.UniqueAddress == node);

    public Gossip Put(Member member) => this with { Members = Members.Remove(member).Add(member) };

    /// <summary>A change by this member; nobody else has seen it yet.</summary>
    public Gossip ChangedBy(UniqueAddress self) => this with { Version = Version.Next(self), SeenBy = [self] };

    public Gossip SeenAlsoBy(UniqueAddress node) => SeenBy.Contains(node) ? this : this with { SeenBy = SeenBy.Add(node) };

    /// <summary>The clock keeps the entry of the removed: others can tell by it which changes of its they have missed.</summary>
    public Gossip Remove(UniqueAddress node, long atUnixMilliseconds) => (this with
    {
        Members = Members.Except(Members.Where(member => member.UniqueAddress == node)),
        Reachability = Reachability.Without(node),
        SeenBy = SeenBy.Remove(node),
        Tombstones = Tombstones.SetItem(node, atUnixMilliseconds),
    }).Bounded();

    /// <summary>Forgets tombstones older than that.</summary>
    public Gossip Prune(long beforeUnixMilliseconds) => Tombstones.Values.Any(at => at < beforeUnixMilliseconds)
        ? (this with { Tombstones = Tombstones.RemoveRange(Tombstones.Where(stone => stone.Value < beforeUnixMilliseconds).Select(stone => stone.Key)) }).Bounded()
        : this;

    /// <summary>
    /// What both know together; seen by nobody yet. Two who merge the same copies get the same version: nothing is counted as a change, or
    /// two who write to each other at the same time would never come to an end.
    /// </summary>
    public Gossip Merge(Gossip other)
    {
        ImmutableDictionary<UniqueAddress, long> tombstones = Tombstones;
        foreach ((UniqueAddress node, long at) in other.Tombstones)
            tombstones = tombstones.SetItem(node, Math.Max(at, tombstones.GetValueOrDefault(node)));
        var members = new SortedDictionary<UniqueAddress, Member>();
        foreach (Member member in Members.Concat(other.Members).Where(member => !tombstones.ContainsKey(member.UniqueAddress)))
            members[member.UniqueAddress] = members.TryGetValue(member.UniqueAddress, out Member? known) ? Member.Further(known, member) : member;
        return new Gossip(
            [.. members.Values], Reachability.Merge(other.Reachability, members.ContainsKey), ImmutableHashSet<UniqueAddress>.Empty, Version.Merge(other.Version), tombstones).Bounded();
    }

    private Gossip Bounded()
    {
        ImmutableDictionary<UniqueAddress, long> tombstones = Tombstones.Count <= TombstonesMax
            ? Tombstones
            : Tombstones.OrderByDescending(stone => stone.Value).ThenBy(stone => stone.Key).Take(TombstonesMax).ToImmutableDictionary();
        HashSet<UniqueAddress> known = [.. tombstones.Keys, .. Members.Select(member => member.UniqueAddress)];
        return this with { Tombstones = tombstones, Version = Version.Only(known.Contains) };
    }
}
