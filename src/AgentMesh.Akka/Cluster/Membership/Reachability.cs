using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>Whom each observer cannot reach. An observer's row is its own; between two copies the later wins.</summary>
internal sealed record Reachability(ImmutableSortedDictionary<UniqueAddress, ObserverRow> Rows)
{
    public static Reachability Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, ObserverRow>.Empty);

    public ImmutableHashSet<UniqueAddress> UnreachableFor(UniqueAddress observer) => Rows.TryGetValue(observer, out ObserverRow? row) ? row.Unreachable : [];

    /// <summary>Members that cannot be reached, judged by <paramref name="self"/>. Never itself.</summary>
    /// <remarks>
    /// What self cannot reach counts first. Others are heard in the order of how many cannot reach them, the least first, and only while they
    /// are not unreachable themselves: who is cut off from most must not make the rest look cut off. Two who cannot reach each other, and whom the
    /// same number cannot reach, are both unreachable.
    /// </remarks>
    /// <param name="isHeard">False for observers whose word does not count any more, such as members that are down.</param>
    public ImmutableHashSet<UniqueAddress> SeenFrom(UniqueAddress self, Func<UniqueAddress, bool> isHeard)
    {
        (UniqueAddress Observer, ObserverRow Row)[] others = [.. Rows.Where(row => !row.Value.Unreachable.IsEmpty && row.Key != self && isHeard(row.Key)).Select(row => (row.Key, row.Value))];
        ImmutableHashSet<UniqueAddress> unreachable = UnreachableFor(self);
        if (others.Length > 0)
        {
            int Accusers(UniqueAddress node) => others.Count(other => other.Observer != node && other.Row.Unreachable.Contains(node)) + (UnreachableFor(self).Contains(node) ? 1 : 0);
            foreach (IGrouping<int, (UniqueAddress Observer, ObserverRow Row)> equals in others.GroupBy(other => Accusers(other.Observer)).OrderBy(group => group.Key))
                unreachable = unreachable.Union(equals.Where(other => !unreachable.Contains(other.Observer)).SelectMany(other => other.Row.Unreachable));
        }

        return unreachable.Remove(self);
    }

    public Reachability With(UniqueAddress observer, ImmutableHashSet<UniqueAddress> unreachable)
    {
        ObserverRow? before = Rows.GetValueOrDefault(observer);
        if (before is null ? unreachable.IsEmpty : before.Unreachable.SetEquals(unreachable))
            return this;
        return new Reachability(Rows.SetItem(observer, new ObserverRow((before?.Version ?? 0) + 1, unreachable)));
    }

    public Reachability Merge(Reachability other, Func<UniqueAddress, bool> isMember)
    {
        ImmutableSortedDictionary<UniqueAddress, ObserverRow>.Builder merged = ImmutableSortedDictionary.CreateBuilder<UniqueAddress, ObserverRow>();
        foreach (UniqueAddress observer in Rows.Keys.Concat(other.Rows.Keys).Where(isMember).Distinct())
        {
            ObserverRow? a = Rows.GetValueOrDefault(observer), b = other.Rows.GetValueOrDefault(observer);
            ObserverRow later = a is null || (b is not null && b.Version > a.Version) ? b! : a;
            merged[observer] = later with { Unreachable = [.. later.Unreachable.Where(isMember)] };
        }

        return new Reachability(merged.ToImmutable());
    }

    public Reachability Without(UniqueAddress gone) => Merge(Empty, node => node != gone);
}

internal sealed record ObserverRow(long Version, ImmutableHashSet<UniqueAddress> Unreachable);
