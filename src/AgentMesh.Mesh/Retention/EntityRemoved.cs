using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using Akka.Actor;

namespace AgentMesh.Mesh.Retention;

/// <summary>Its journal is removed: the entity leaves the memory, should it be there. It has no form on the wire: nobody else can say so.</summary>
public sealed record JobRemoved(JobId JobId) : IJobMessage, INoSerializationVerificationNeeded;

/// <inheritdoc cref="JobRemoved"/>
public sealed record ArrayRemoved(ArrayId ArrayId) : IArrayMessage, INoSerializationVerificationNeeded;

/// <inheritdoc cref="JobRemoved"/>
public sealed record WorkflowRemoved(WorkflowId WorkflowId) : IWorkflowMessage, INoSerializationVerificationNeeded;

/// <summary>What is said of one that is asked for after it was removed.</summary>
public static class RemovedProblem
{
    public const string NextStep = "agentmesh.jobs.retained-for and retained-max say how long ended jobs stay; a repeat with its --key runs it anew";

    /// <param name="what">"job 7f3kq2m".</param>
    public static string Text(string what) => $"{what} has ended, and was removed since";
}
