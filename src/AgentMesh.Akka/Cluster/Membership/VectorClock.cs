using System.Collections.Immutable;
using System.Globalization;
using System.Text;

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
    // FNV-1a, 64 bit.
    private const ulong DigestOffset = 14695981039346656037;
    private const ulong DigestPrime = 1099511628211;

    private ulong? _digest;

    public static VectorClock Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, long>.Empty);

    /// <summary>Equal clocks have equal digests in every process; different ones differ but for chance.</summary>
    public ulong Digest => _digest ??= ComputeDigest();

    public VectorClock Next(UniqueAddress by) => new(Versions.SetItem(by, Versions.GetValueOrDefault(by) + 1));

    public VectorClock Only(Func<UniqueAddress, bool> isKnown) => Versions.Keys.All(isKnown) ? this : new VectorClock(Versions.RemoveRange(Versions.Keys.Where(node => !isKnown(node))));

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
        if (ReferenceEquals(this, other))
            return Ordering.Same;
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

    private ulong ComputeDigest()
    {
        ulong digest = DigestOffset;
        foreach ((UniqueAddress node, long version) in Versions)
        {
            string entry = string.Create(CultureInfo.InvariantCulture, $"{node.Address}#{node.Uid}={version};");
            foreach (byte each in Encoding.UTF8.GetBytes(entry))
                digest = unchecked((digest ^ each) * DigestPrime);
        }

        return digest;
    }
}
