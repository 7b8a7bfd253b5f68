using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>The artifact store of this device, for people and for what they submit.</summary>
internal sealed class ArtifactService(ArtifactStore store, JobService jobs)
{
    public async Task<IReadOnlyList<ArtifactView>> ListAsync(string? job, int limit, CancellationToken cancellationToken)
    {
        string? wanted = job is null ? null : (await jobs.FindAsync(job, cancellationToken).ConfigureAwait(false)).ToString();
        return [.. store.List().Where(artifact => wanted is null || artifact.JobId == wanted).Take(Math.Max(1, limit)).Select(ViewOf)];
    }

    /// <param name="text"><c>JOB/NAME</c>, <c>sha256:...</c> or the name of one that a person put there.</param>
    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    public async Task<(ArtifactView View, FileStream Content)> OpenAsync(string text, CancellationToken cancellationToken)
    {
        StoredArtifact found = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        return (ViewOf(found), store.OpenRead(found.Hash));
    }

    /// <exception cref="MeshException">AM0440, AM0441, AM0443; AM0446: no name.</exception>
    public async Task<ArtifactView> PutAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        ArtifactNames.CheckAll([name]);
        return ViewOf(await store.PutAsync(name, content, cancellationToken).ConfigureAwait(false));
    }

    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    public async Task<ArtifactView> RemoveAsync(string text, CancellationToken cancellationToken)
    {
        StoredArtifact found = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        foreach (StoredArtifact same in IsHash(text) ? store.List().Where(artifact => artifact.Hash == found.Hash) : [found])
        {
            store.Remove(same.JobId, same.Name);
        }

        return ViewOf(found);
    }

    /// <exception cref="MeshException">AM0446.</exception>
    public static ValueList<JobArtifact> ArtifactsOf(IReadOnlyList<string>? texts)
    {
        JobArtifact[] artifacts = [.. (texts ?? []).Select(ArtifactNames.Parse)];
        ArtifactNames.CheckAll(artifacts.Select(artifact => artifact.Name));
        return [.. artifacts];
    }

    /// <param name="texts"><c>NAME=JOB/ARTIFACT</c>, <c>NAME=sha256:...</c> or <c>NAME=ARTIFACT</c> for one that a person put there.</param>
    /// <exception cref="MeshException">AM0446; AM0442: it is not there.</exception>
    public async Task<ValueList<ArtifactInput>> InputsOfAsync(IReadOnlyList<string>? texts, CancellationToken cancellationToken)
    {
        var inputs = new List<ArtifactInput>();
        foreach (string text in texts ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals + 1 == text.Length)
            {
                throw new MeshException(ArtifactErrors.BadArtifact, $"'{text}' names no input", "write NAME=JOB/ARTIFACT or NAME=sha256:...");
            }

            StoredArtifact found = await FindAsync(text[(equals + 1)..], cancellationToken).ConfigureAwait(false);
            inputs.Add(InputOf(text[..equals], found));
        }

        ArtifactNames.CheckAll(inputs.Select(input => input.Name));
        return [.. inputs];
    }

    /// <param name="source"><c>sha256:...</c></param>
    /// <exception cref="MeshException">AM0442.</exception>
    public ArtifactInput InputOf(string name, string source) => InputOf(name, FindHash(source));

    private static ArtifactInput InputOf(string name, StoredArtifact found) =>
        new(name, ContentHash.TryParse(found.Hash, out ContentHash hash) ? hash : throw new InvariantException("a stored artifact has no hash"), found.Size);

    private static bool IsHash(string text) => text.StartsWith(ContentHash.Prefix, StringComparison.Ordinal);

    private async Task<StoredArtifact> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (IsHash(text))
        {
            return FindHash(text);
        }

        int slash = text.LastIndexOf('/');
        if (slash < 0)
        {
            return store.Find("", text) ?? throw Unknown(text);
        }

        JobId job = await jobs.FindAsync(text[..slash], cancellationToken).ConfigureAwait(false);
        if (store.Find(job.ToString(), text[(slash + 1)..]) is { } found)
        {
            return found;
        }

        MeshJobView view = await jobs.GetAsync(job, cancellationToken).ConfigureAwait(false);
        throw view.State.IsAtRest()
            ? Unknown(text)
            : new MeshException(JournalErrors.ArtifactGone, $"job {job.Short} is {view.State.ToString().ToLowerInvariant()}: it has left nothing behind yet", "wait for it, or let a workflow run one after the other: docs/workflows.md");
    }

    private StoredArtifact FindHash(string text) => ContentHash.TryParse(text, out ContentHash hash)
        ? store.List().FirstOrDefault(artifact => artifact.Hash == hash.Hex) ?? throw Unknown(text)
        : throw new MeshException(ArtifactErrors.BadArtifact, $"'{text}' is no SHA-256", "write sha256: and 64 hexadecimal digits");

    private static MeshException Unknown(string text) =>
        new(JournalErrors.ArtifactGone, $"there is no artifact '{text}' on this device", "'agentmesh artifact list' shows what is there; an artifact is kept by the device that accepted its job");

    private static ArtifactView ViewOf(StoredArtifact artifact) => new(
        artifact.Name,
        artifact.JobId.Length == 0 ? null : artifact.JobId,
        JobId.TryParse(artifact.JobId, out JobId job) ? job.Short : null,
        ContentHash.Prefix + artifact.Hash,
        artifact.Size,
        artifact.At);
}
