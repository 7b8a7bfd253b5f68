using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>What regions and coordinator send each other. Each may be lost or come twice; the sender repeats, the receiver does not mind.</summary>
internal interface IShardingMessage;

/// <summary>A region reports itself and the shards it has. Repeated until the coordinator answers.</summary>
internal sealed record Register(IActorRef Region, ImmutableArray<string> Shards) : IShardingMessage, IDeadLetterSuppression;

/// <summary>A region without shards of its own reports itself.</summary>
internal sealed record RegisterProxy(IActorRef Region) : IShardingMessage, IDeadLetterSuppression;

internal sealed record RegisterAck(IActorRef Coordinator) : IShardingMessage;

/// <summary>Where does the shard live? Not answered while that is being decided; repeated by the region.</summary>
internal sealed record GetShardHome(string Shard) : IShardingMessage, IDeadLetterSuppression;

internal sealed record ShardHome(string Shard, IActorRef Region) : IShardingMessage;

/// <summary>The region is to run the shard. Answered with <see cref="ShardStarted"/>.</summary>
internal sealed record HostShard(string Shard) : IShardingMessage;

internal sealed record ShardStarted(string Shard) : IShardingMessage;

/// <summary>First step of a hand-off: forget where the shard lives and hold what comes for it.</summary>
/// <param name="Home">Where it lives; null from a version that does not say it.</param>
internal sealed record BeginHandOff(string Shard, IActorRef? Home) : IShardingMessage;

internal sealed record BeginHandOffAck(string Shard) : IShardingMessage;

/// <summary>From a region to the one it has sent messages for the shard to: nothing more comes. It travels behind those messages.</summary>
/// <param name="Worker">Who waits for it.</param>
internal sealed record LastOfShard(string Shard, IActorRef Worker) : IShardingMessage;

/// <summary>Passes <see cref="LastOfShard"/> on, when everything before it has arrived.</summary>
/// <param name="Region">Where it came from.</param>
internal sealed record LastOfShardArrived(string Shard, IActorRef Region) : IShardingMessage;

/// <summary>Second step, to the region that has the shard: stop its entities, then answer <see cref="ShardStopped"/>.</summary>
internal sealed record HandOff(string Shard) : IShardingMessage;

internal sealed record ShardStopped(string Shard) : IShardingMessage;

/// <summary>A region wants to leave: its shards are to be handed off and it gets no new ones.</summary>
internal sealed record LeaveRequest(IActorRef Region) : IShardingMessage, IDeadLetterSuppression;
