using System.Collections.Immutable;
using AgentMesh.Journal;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Node.Pools;

/// <summary>
/// Shards of a pool live at members whose lease runs: one that cannot reach the database can take none, whatever the cluster thinks of it. What it has is moved to the others, which can, and comes back
/// with the balance. Where none has a lease, or all have, it is the balance alone that decides. One object is for one type.
/// </summary>
/// <param name="balance">Decides among those that are left.</param>
/// <param name="hasLease">Whether the member at that address has one, as far as this device knows.</param>
internal sealed class LeasedAllocation(IShardAllocationStrategy balance, Func<Address, bool> hasLease) : IShardAllocationStrategy
{
    /// <summary>Leases are looked at as often as they are renewed; what has stranded waits for nobody. What only keeps the balance costs a move and may wait: every fourth look, once in a lease.</summary>
    private const int LooksPerBalance = 4;

    private int _looks;

    /// <summary>By what the session of the coordinator's device knows. One that has lost the database itself does not hear any more who has a lease: as far as it knows, all others do.</summary>
    /// <param name="lease">How long it lasts without being renewed.</param>
    public static ShardPlacement Placement(PoolSession session, TimeSpan lease) => new(
        lease / LooksPerBalance,
        balance => new LeasedAllocation(balance, at => at.HasLocalScope ? session.IsLive : !session.IsLive || session.IsMember(at.Host!)));

    public Task<IActorRef> AllocateShard(IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations) =>
        balance.AllocateShard(requester, shardId, Leased(currentShardAllocations));

    public Task<IImmutableSet<string>> Rebalance(IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress)
    {
        IImmutableDictionary<IActorRef, IImmutableList<string>> leased = Leased(currentShardAllocations);
        IImmutableSet<string> stranded = currentShardAllocations.Where(each => !leased.ContainsKey(each.Key)).SelectMany(each => each.Value).ToImmutableHashSet().Except(rebalanceInProgress);
        bool isForBalance = ++_looks % LooksPerBalance == 0;
        return stranded.Count > 0 || !isForBalance ? Task.FromResult(stranded) : balance.Rebalance(leased, rebalanceInProgress);
    }

    private IImmutableDictionary<IActorRef, IImmutableList<string>> Leased(IImmutableDictionary<IActorRef, IImmutableList<string>> all)
    {
        IActorRef[] without = [.. all.Keys.Where(region => !hasLease(region.Path.Address))];
        return without.Length < all.Count ? all.RemoveRange(without) : all;
    }
}
