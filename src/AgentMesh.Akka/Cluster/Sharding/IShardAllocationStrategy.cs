using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Sharding;

/// <summary>Decides where shards live. Called by the coordinator, one call at a time.</summary>
public interface IShardAllocationStrategy : INoSerializationVerificationNeeded
{
    /// <param name="requester">The region that asked.</param>
    /// <param name="currentShardAllocations">Every region and its shards, in the order of their allocation.</param>
    /// <returns>One of the regions.</returns>
    Task<IActorRef> AllocateShard(IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations);

    /// <returns>Shards to be handed off; they are allocated anew when the next message for them comes.</returns>
    Task<IImmutableSet<string>> Rebalance(IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress);
}

public static class ShardAllocationStrategy
{
    /// <summary>New shards go to the region with the fewest; a rebalance moves at most the limits' worth at a time.</summary>
    /// <param name="absoluteLimit">Most shards moved in one round; 0 for no bound but the relative one.</param>
    /// <param name="relativeLimit">Share of all shards moved in one round.</param>
    public static IShardAllocationStrategy LeastShardAllocationStrategy(int absoluteLimit, double relativeLimit) => new LeastShards(absoluteLimit, relativeLimit);
}

internal sealed class LeastShards(int absoluteLimit, double relativeLimit) : IShardAllocationStrategy
{
    private static readonly Task<IImmutableSet<string>> Nothing = Task.FromResult<IImmutableSet<string>>(ImmutableHashSet<string>.Empty);

    public Task<IActorRef> AllocateShard(IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations) =>
        Task.FromResult(currentShardAllocations.OrderBy(each => each.Value.Count).ThenBy(each => each.Key.Path.ToString(), StringComparer.Ordinal).First().Key);

    public Task<IImmutableSet<string>> Rebalance(IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress)
    {
        if (currentShardAllocations.Count < 2 || rebalanceInProgress.Count > 0)
        {
            return Nothing;
        }

        int all = currentShardAllocations.Values.Sum(each => each.Count);
        int fair = (all + currentShardAllocations.Count - 1) / currentShardAllocations.Count;
        int lowest = currentShardAllocations.Values.Min(each => each.Count);
        int limit = Math.Max(1, Math.Min((int)(relativeLimit * all), absoluteLimit > 0 ? absoluteLimit : int.MaxValue));

        // Only what leads to a better balance: a region above its share gives to one that is at least two below it.
        string[] moved = [.. currentShardAllocations
            .OrderBy(each => each.Key.Path.ToString(), StringComparer.Ordinal)
            .Select(each => each.Value)
            .Where(shards => shards.Count > fair || shards.Count - lowest > 1)
            .OrderByDescending(shards => shards.Count)
            .SelectMany(shards => shards.Take(Math.Max(shards.Count - fair, shards.Count - lowest > 1 ? 1 : 0)))
            .Take(limit)];
        return Task.FromResult<IImmutableSet<string>>(ImmutableHashSet.Create(moved));
    }
}
