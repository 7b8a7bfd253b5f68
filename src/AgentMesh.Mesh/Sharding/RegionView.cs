using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>What a region of this device tells of itself.</summary>
/// <param name="Shards">Those it hosts.</param>
/// <param name="Awake">Ids of the entities in them that are in memory.</param>
public sealed record RegionView(IReadOnlySet<string> Shards, IReadOnlySet<string> Awake)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(20);

    /// <exception cref="AskTimeoutException">It did not answer within 20 s.</exception>
    public static async Task<RegionView> AskAsync(ICanTell region, CancellationToken cancellationToken)
    {
        CurrentShardRegionState state = await region.Ask<CurrentShardRegionState>(GetShardRegionState.Instance, AnswerWithin, cancellationToken).ConfigureAwait(false);
        HashSet<string> awake = new(state.Shards.Sum(shard => shard.EntityIds.Count), StringComparer.Ordinal);
        foreach (ShardState shard in state.Shards)
        {
            awake.UnionWith(shard.EntityIds);
        }

        // One that is too busy to answer is hosted here all the same.
        return new RegionView(new HashSet<string>([.. state.Shards.Select(shard => shard.ShardId), .. state.Failed], StringComparer.Ordinal), awake);
    }
}
