using System.Globalization;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Peers;
using AgentMesh.Mesh.Workflows;
using Akka.Cluster.Sharding;

namespace AgentMesh.Mesh.Sharding;

/// <summary>The entity and shard of a message of the domain.</summary>
internal sealed class MeshExtractor : IMessageExtractor
{
    /// <summary>Shards of one type at one home: all live on one device, so a few are enough.</summary>
    private const int Shards = 16;

    public string? EntityId(object message) => message switch
    {
        IJobMessage job => job.JobId.ToString(),
        ICronMessage cron => cron.CronId.ToString(),
        IArrayMessage array => array.ArrayId.ToString(),
        IWorkflowMessage workflow => workflow.WorkflowId.ToString(),
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

        return (hash % Shards).ToString(CultureInfo.InvariantCulture);
    }
}
