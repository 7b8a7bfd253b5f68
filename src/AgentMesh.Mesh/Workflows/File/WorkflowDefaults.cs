using AgentMesh.Errors;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Workflows.File;

/// <summary>What reading a workflow needs of the node that accepts it.</summary>
/// <param name="TargetsOf">Reads a selector; null for this device. Throws AM0350 to AM0352, AM0302, AM0303.</param>
/// <param name="HandlerOf">Reads a command line for a handler. Throws AM0301.</param>
/// <param name="JobOf">The specification of a job with the defaults of the node.</param>
public sealed record WorkflowDefaults(Func<string?, StepTargets> TargetsOf, Func<string, JobCommand> HandlerOf, Func<JobCommand, JobSpec> JobOf, Caller Caller)
{
    /// <summary>An artifact that is in the store of this device: its name here, and <c>sha256:...</c>. Throws AM0442, AM0446.</summary>
    public Func<string, string, ArtifactInput> InputOf { get; init; } = static (_, source) => throw new MeshException(ArtifactErrors.BadArtifact, $"there is no store for {source} here", "name the artifact of a step");

    /// <summary>Who is told: a URL, and of which ends (null for any). Throws AM0632, AM0633.</summary>
    public Func<string, string?, Notify?> NotifyOf { get; init; } = static (url, _) => throw new MeshException(MeshErrors.NotifyNotAllowed, $"nothing is sent to {url} from here", "leave notify out");
}
