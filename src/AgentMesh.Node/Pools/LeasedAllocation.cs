using System.Collections.Immutable;
using AgentMesh.Journal;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Node.Pools;

/// <summary>
/// Shards of a pool live at members whose lease runs: one that cannot reach the database can take none, whatever the cluster thinks of it. What it has is moved to the others, which can, and comes back
/// with the balance. Where none has a lease, or all have, it is the balance alone that decides.
/// </summary>
/// <param name="balance">Decides among those that are left.</param>
/// <param name="hasLease">Whether the member at that address has one, as far as this device knows.</param>
internal sealed class LeasedAllocation(IShardAllocationStrategy balance, Func<Address, bool> hasLease) : IShardAllocationStrategy
{
    /// <summary>By what the session of the coordinator's device knows. One that has lost the database itself does not hear any more who has a lease: as far as it knows, all others do.</summary>
    public static LeasedAllocation Of(IShardAllocationStrategy balance, PoolSession session) =>
        new(balance, at => at.HasLocalScope ? session.IsLive : !session.IsLive || session.IsMember(at.Host!));

    public Task<IActorRef> AllocateShard(IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations) =>
        balance.AllocateShard(requester, shardId, Leased(currentShardAllocations));

    public Task<IImmutableSet<string>> Rebalance(IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress)
    {
        IImmutableDictionary<IActorRef, IImmutableList<string>> leased = Leased(currentShardAllocations);
        IImmutableSet<string> stranded = currentShardAllocations.Where(each => !leased.ContainsKey(each.Key)).SelectMany(each => each.Value).ToImmutableHashSet().Except(rebalanceInProgress);
        return stranded.Count > 0 ? Task.FromResult(stranded) : balance.Rebalance(leased, rebalanceInProgress);
    }

    private IImmutableDictionary<IActorRef, IImmutableList<string>> Leased(IImmutableDictionary<IActorRef, IImmutableList<string>> all)
    {
        IActorRef[] without = [.. all.Keys.Where(region => !hasLease(region.Path.Address))];
        return without.Length < all.Count ? all.RemoveRange(without) : all;
    }
}
