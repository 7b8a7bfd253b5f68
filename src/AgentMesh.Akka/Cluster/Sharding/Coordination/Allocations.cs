using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>Which region has which shard. Rebuilt from what the regions report, so there is nothing to store.</summary>
internal sealed class Allocations
{
    private readonly Dictionary<string, IActorRef> _homes = new(StringComparer.Ordinal);
    private ImmutableDictionary<IActorRef, IImmutableList<string>> _regions = ImmutableDictionary<IActorRef, IImmutableList<string>>.Empty;

    public IImmutableDictionary<IActorRef, IImmutableList<string>> Regions => _regions;

    public IActorRef? HomeOf(string shard) => _homes.GetValueOrDefault(shard);

    public bool Knows(IActorRef region) => _regions.ContainsKey(region);

    /// <returns>Shards of the report that live elsewhere: the region must stop them.</returns>
    public IReadOnlyList<string> Report(IActorRef region, IEnumerable<string> shards)
    {
        if (!Knows(region))
            _regions = _regions.Add(region, ImmutableList<string>.Empty);
        var foreign = new List<string>();
        foreach (string shard in shards)
        {
            IActorRef? home = HomeOf(shard);
            if (home is null)
                Allocate(shard, region);
            else if (!home.Equals(region))
                foreign.Add(shard);
        }

        return foreign;
    }

    public void Allocate(string shard, IActorRef region)
    {
        _homes[shard] = region;
        _regions = _regions.SetItem(region, _regions[region].Add(shard));
    }

    public void Deallocate(string shard)
    {
        if (_homes.Remove(shard, out IActorRef? region) && _regions.TryGetValue(region, out IImmutableList<string>? shards))
            _regions = _regions.SetItem(region, shards.Remove(shard));
    }

    /// <returns>The shards that have no home any more.</returns>
    public IReadOnlyList<string> Remove(IActorRef region)
    {
        if (!_regions.TryGetValue(region, out IImmutableList<string>? shards))
            return [];
        _regions = _regions.Remove(region);
        foreach (string shard in shards)
            _homes.Remove(shard);
        return [.. shards];
    }
}
