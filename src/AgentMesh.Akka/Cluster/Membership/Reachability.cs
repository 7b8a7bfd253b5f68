using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>Whom each observer cannot reach. An observer's rows are its own; between two copies the later wins.</summary>
internal sealed record Reachability(ImmutableSortedDictionary<UniqueAddress, ObserverRow> Rows)
{
    public static Reachability Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, ObserverRow>.Empty);

    /// <summary>Members that somebody who can be reached cannot reach.</summary>
    public ImmutableHashSet<UniqueAddress> Unreachable
    {
        get
        {
            ImmutableHashSet<UniqueAddress> all = [.. Rows.Values.SelectMany(row => row.Unreachable)];

            // Whom only an unreachable observer cannot reach is probably fine: it is the observer that is cut off.
            return [.. all.Where(subject => Rows.Any(row => row.Value.Unreachable.Contains(subject) && !all.Contains(row.Key)) || Rows.Count(row => row.Value.Unreachable.Contains(subject)) > 1)];
        }
    }

    public ImmutableHashSet<UniqueAddress> UnreachableFor(UniqueAddress observer) => Rows.TryGetValue(observer, out ObserverRow? row) ? row.Unreachable : [];

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
