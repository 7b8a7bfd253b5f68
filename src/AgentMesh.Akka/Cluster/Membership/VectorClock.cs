using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

internal enum Ordering
{
    Same,
    Before,
    After,
    Concurrent,
}

/// <summary>How many changes of each member a state contains; tells whether one state knows all that another knows.</summary>
internal sealed record VectorClock(ImmutableSortedDictionary<UniqueAddress, long> Versions)
{
    public static VectorClock Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, long>.Empty);

    public VectorClock Next(UniqueAddress by) => new(Versions.SetItem(by, Versions.GetValueOrDefault(by) + 1));

    public VectorClock Without(UniqueAddress gone) => new(Versions.Remove(gone));

    public VectorClock Merge(VectorClock other)
    {
        ImmutableSortedDictionary<UniqueAddress, long>.Builder merged = Versions.ToBuilder();
        foreach ((UniqueAddress node, long version) in other.Versions)
            merged[node] = Math.Max(version, Versions.GetValueOrDefault(node));
        return new VectorClock(merged.ToImmutable());
    }

    /// <returns>Before: the other one knows everything of this one and more.</returns>
    public Ordering CompareTo(VectorClock other)
    {
        bool less = false, more = false;
        foreach ((UniqueAddress node, long version) in Versions)
        {
            long theirs = other.Versions.GetValueOrDefault(node);
            less |= version < theirs;
            more |= version > theirs;
        }

        foreach ((UniqueAddress node, long version) in other.Versions)
            less |= version > Versions.GetValueOrDefault(node);
        return (less, more) switch
        {
            (false, false) => Ordering.Same,
            (true, false) => Ordering.Before,
            (false, true) => Ordering.After,
            _ => Ordering.Concurrent,
        };
    }
}
