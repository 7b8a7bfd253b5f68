using System.Collections.Immutable;

namespace Akka.Cluster.Sharding;

/// <summary>Answered with <see cref="ShardRegionStats"/>.</summary>
public sealed class GetShardRegionStats : IShardRegionQuery, IClusterShardingSerializable
{
    public static readonly GetShardRegionStats Instance = new();

    private GetShardRegionStats()
    {
    }

    public override string ToString() => nameof(GetShardRegionStats);
}

/// <summary>The shards of one region, each with how many of its entities are awake.</summary>
public sealed class ShardRegionStats : IClusterShardingSerializable, IEquatable<ShardRegionStats>
{
    public readonly IImmutableDictionary<string, int> Stats;

    /// <summary>Shards that did not answer in time.</summary>
    public readonly IImmutableSet<string> Failed;

    public ShardRegionStats(IImmutableDictionary<string, int> stats)
        : this(stats, ImmutableHashSet<string>.Empty)
    {
    }

    public ShardRegionStats(IImmutableDictionary<string, int> stats, IImmutableSet<string> failed)
    {
        Stats = stats;
        Failed = failed;
    }

    public bool Equals(ShardRegionStats? other) =>
        other is not null && Failed.SetEquals(other.Failed) && Stats.Count == other.Stats.Count && Stats.All(each => other.Stats.TryGetValue(each.Key, out int count) && count == each.Value);

    public override bool Equals(object? obj) => Equals(obj as ShardRegionStats);

    public override int GetHashCode() => Stats.Count;

    public override string ToString() => $"ShardRegionStats({string.Join(", ", Stats.Select(each => $"{each.Key}: {each.Value}"))})";
}
