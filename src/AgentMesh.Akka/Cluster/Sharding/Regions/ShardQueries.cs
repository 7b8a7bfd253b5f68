using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Sharding.Regions;

/// <summary>Asks the shards of a region what stands in them.</summary>
internal static class ShardQueries
{
    public static async Task<CurrentShardRegionState> StateAsync(KeyValuePair<string, IActorRef>[] shards, TimeSpan timeout)
    {
        (string Shard, ShardState? State)[] answers = await AskAll<ShardState>(shards, Shard.GetState.Instance, timeout).ConfigureAwait(false);
        return new CurrentShardRegionState(
            [.. answers.Where(answer => answer.State is not null).Select(answer => answer.State!)],
            [.. answers.Where(answer => answer.State is null).Select(answer => answer.Shard)]);
    }

    public static async Task<ShardRegionStats> CountAsync(KeyValuePair<string, IActorRef>[] shards, TimeSpan timeout)
    {
        (string Shard, object? Count)[] answers = await AskAll<object>(shards, Shard.GetCount.Instance, timeout).ConfigureAwait(false);
        return new ShardRegionStats(
            answers.Where(answer => answer.Count is int).ToImmutableDictionary(answer => answer.Shard, answer => (int)answer.Count!),
            [.. answers.Where(answer => answer.Count is not int).Select(answer => answer.Shard)]);
    }

    /// <returns>Null for a shard that does not answer in time.</returns>
    private static Task<(string Shard, T? Answer)[]> AskAll<T>(KeyValuePair<string, IActorRef>[] shards, object question, TimeSpan timeout)
        where T : class => Task.WhenAll(shards.Select(async shard =>
        {
            try
            {
                return (shard.Key, (T?)await shard.Value.Ask<T>(question, timeout).ConfigureAwait(false));
            }
            catch (AskTimeoutException)
            {
                return (shard.Key, null);
            }
        }));
}
