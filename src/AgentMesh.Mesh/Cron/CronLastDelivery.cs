using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Cron;

/// <summary>The newest attempt to tell a run of a schedule.</summary>
public sealed record CronLastDelivery(JobId JobId, Delivery Delivery);
