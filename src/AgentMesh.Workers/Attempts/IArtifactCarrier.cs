using AgentMesh.Mesh.Artifacts;

namespace AgentMesh.Workers.Attempts;

/// <summary>Moves files between an attempt here and the artifact store of its job's home, wherever that is. While the home is away it tries again.</summary>
public interface IArtifactCarrier
{
    /// <summary>Completes when the home has the content on its disk, under this name, for this attempt.</summary>
    /// <exception cref="Errors.MeshException">The home does not take it.</exception>
    Task DeliverAsync(AttemptKey key, ArtifactRef artifact, string file, CancellationToken cancellationToken);

    /// <summary>Completes when the file is there, with the announced hash.</summary>
    /// <exception cref="Errors.MeshException">The home does not have it any more, or this device cannot keep it.</exception>
    Task FetchAsync(AttemptKey key, ArtifactInput input, string file, CancellationToken cancellationToken);
}
