using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>Whom a member watches: its next neighbours in the order of addresses, so that each is watched by a bounded number.</summary>
internal static class HeartbeatRing
{
    /// <param name="suspects">
    /// Unreachable members. They are watched in addition to <paramref name="count"/> others, so that a whole stretch of silent members is found out
    /// one after the other.
    /// </param>
    /// <param name="kept">Members this one has called unreachable: nobody else can take that back.</param>
    public static ImmutableHashSet<UniqueAddress> Pick(Gossip gossip, UniqueAddress self, int count, ImmutableHashSet<UniqueAddress> suspects, ImmutableHashSet<UniqueAddress> kept)
    {
        UniqueAddress[] ring = [.. gossip.Members.Where(member => member.Status != MemberStatus.Down).Select(member => member.UniqueAddress)];
        int own = Array.IndexOf(ring, self);
        if (own < 0)
            return [];
        ImmutableHashSet<UniqueAddress>.Builder picked = ImmutableHashSet.CreateBuilder<UniqueAddress>();
        for (int step = 1; step < ring.Length && count > 0; step++)
        {
            UniqueAddress next = ring[(own + step) % ring.Length];
            picked.Add(next);
            if (!suspects.Contains(next))
                count--;
        }

        picked.UnionWith(kept.Where(node => node != self && ring.Contains(node)));
        return picked.ToImmutable();
    }
}
