using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>Which members host the shards of a pool.</summary>
/// <param name="LookEvery">How often the coordinator of each type looks at where its shards are.</param>
/// <param name="Strategy">Makes that of one type from the one that only keeps the balance.</param>
public sealed record ShardPlacement(TimeSpan LookEvery, Func<IShardAllocationStrategy, IShardAllocationStrategy> Strategy);
