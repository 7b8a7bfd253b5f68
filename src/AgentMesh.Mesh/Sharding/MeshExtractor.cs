using System.Globalization;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Workflows;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>The entity and shard of a message of the domain.</summary>
internal sealed class MeshExtractor : IMessageExtractor
{
    /// <summary>Shards of one type at a device: all live there, so a few are enough.</summary>
    private const int DeviceShards = 16;

    /// <summary>Shards of one type in a pool. The journal owns its entities in the same buckets: the number is part of its format.</summary>
    private const int PoolShards = 64;

    public string? EntityId(object message) => message switch
    {
        IJobMessage job => job.JobId.ToString(),
        ICronMessage cron => cron.CronId.ToString(),
        IArrayMessage array => array.ArrayId.ToString(),
        IWorkflowMessage workflow => workflow.WorkflowId.ToString(),
        IGroupMessage group => group.GroupId.ToString(),
        IPeerMessage peer => peer.PeerId.ToString(),
        _ => null,
    };

    public object? EntityMessage(object message) => message;

    public string? ShardId(object message) => EntityId(message) is { } id ? ShardId(id, message) : null;

    // FNV-1a: the same on every device and in every version, which string.GetHashCode is not.
    public string ShardId(string entityId, object? messageHint = null)
    {
        uint hash = 2166136261;
        foreach (char c in entityId)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (hash % (IsOfPool(entityId) ? PoolShards : DeviceShards)).ToString(CultureInfo.InvariantCulture);
    }

    private static bool IsOfPool(string entityId)
    {
        int slash = entityId.IndexOf('/', StringComparison.Ordinal);
        return slash >= 0 && entityId.AsSpan(slash + 1).StartsWith(HomeId.PoolPrefix, StringComparison.Ordinal);
    }
}
