using Akka.Util;

namespace Akka.Cluster.Sharding;

/// <summary>The entity id and what is delivered to it, or nothing where the message is for no entity.</summary>
public delegate Option<(string, object)> ExtractEntityId(object message);

/// <summary>The shard of a message that <see cref="ExtractEntityId"/> accepts; the same on every member.</summary>
public delegate string ExtractShardId(object message);

/// <summary>Reads entity and shard from a message. Called from many threads.</summary>
public interface IMessageExtractor
{
    /// <summary>Null where the message is for no entity.</summary>
    string? EntityId(object message);

    /// <summary>What the entity receives.</summary>
    object? EntityMessage(object message);

    string? ShardId(object message);

    string ShardId(string entityId, object? messageHint = null);
}

/// <summary>Spreads entities over a fixed number of shards by a hash of their id.</summary>
public abstract class HashCodeMessageExtractor : IMessageExtractor
{
    public readonly int MaxNumberOfShards;

    protected HashCodeMessageExtractor(int maxNumberOfShards) => MaxNumberOfShards = maxNumberOfShards;

    public static HashCodeMessageExtractor Create(int maxNumberOfShards, Func<object, string?> entityIdExtractor, Func<object, object>? messageExtractor = null) =>
        new ByFunctions(maxNumberOfShards, entityIdExtractor, messageExtractor);

    public abstract string? EntityId(object message);

    public virtual object? EntityMessage(object message) => message;

    public virtual string? ShardId(object message) => EntityId(message) is { } id ? ShardId(id, message) : null;

    public virtual string ShardId(string entityId, object? messageHint = null) =>
        (Math.Abs(MurmurHash.StringHash(entityId) % MaxNumberOfShards)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private sealed class ByFunctions(int maxNumberOfShards, Func<object, string?> entityId, Func<object, object>? message) : HashCodeMessageExtractor(maxNumberOfShards)
    {
        public override string? EntityId(object message1) => entityId(message1);

        public override object? EntityMessage(object message1) => message is null ? message1 : message(message1);
    }
}

/// <summary>The two delegates as an extractor.</summary>
internal sealed class DelegateExtractor(ExtractEntityId entity, ExtractShardId shard) : IMessageExtractor
{
    public string? EntityId(object message) => entity(message) is { HasValue: true } found ? found.Value.Item1 : null;

    public object? EntityMessage(object message) => entity(message) is { HasValue: true } found ? found.Value.Item2 : null;

    public string? ShardId(object message) => shard(message);

    public string ShardId(string entityId, object? messageHint = null) => shard(messageHint ?? new ShardingEnvelope(entityId, entityId));
}
