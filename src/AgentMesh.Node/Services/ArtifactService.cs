using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Control;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>The artifacts of this device and of its pool, for people and for what they submit.</summary>
internal sealed class ArtifactService(ArtifactStores stores, Homes homes, JobService jobs)
{
    /// <param name="job">Only those of this job, wherever it is at home.</param>
    /// <param name="home">As people write it; null for where jobs go that name none.</param>
    public async Task<IReadOnlyList<ArtifactView>> ListAsync(string? job, string? home, int limit, CancellationToken cancellationToken)
    {
        JobId? wanted = job is null ? null : await jobs.FindAsync(job, cancellationToken).ConfigureAwait(false);
        IArtifactStore store = StoreOf(wanted?.Home ?? homes.Of(home).Home);
        return [.. (await store.ListAsync(wanted?.ToString(), null, Math.Max(1, limit), cancellationToken).ConfigureAwait(false)).Select(ViewOf)];
    }

    /// <param name="text"><c>JOB/NAME</c>, <c>sha256:...</c> or the name of one that a person put there.</param>
    /// <param name="home">As people write it; null for this device and its pool.</param>
    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    public async Task<(ArtifactView View, Stream Content)> OpenAsync(string text, string? home, CancellationToken cancellationToken)
    {
        (StoredArtifact found, IArtifactStore store) = await FindAsync(text, StoresOf(home), cancellationToken).ConfigureAwait(false);
        return (ViewOf(found), await store.OpenReadAsync(found.Hash, cancellationToken).ConfigureAwait(false));
    }

    /// <exception cref="MeshException">AM0440, AM0441, AM0443; AM0446: no name; AM0450: the database of the pool.</exception>
    public async Task<ArtifactView> PutAsync(string name, string? home, Stream content, CancellationToken cancellationToken)
    {
        ArtifactNames.CheckAll([name]);
        return ViewOf(await StoreOf(homes.Of(home).Home).PutAsync(name, content, cancellationToken).ConfigureAwait(false));
    }

    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    public async Task<ArtifactView> RemoveAsync(string text, string? home, CancellationToken cancellationToken)
    {
        (StoredArtifact found, IArtifactStore store) = await FindAsync(text, StoresOf(home), cancellationToken).ConfigureAwait(false);
        foreach (StoredArtifact same in IsHash(text) ? await store.ListAsync(null, found.Hash, int.MaxValue, cancellationToken).ConfigureAwait(false) : [found])
        {
            await store.RemoveAsync(same.JobId, same.Name, cancellationToken).ConfigureAwait(false);
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
    /// <param name="home">Of the job: what is only in the other store of this device is copied there.</param>
    /// <exception cref="MeshException">AM0446; AM0442: it is not there; AM0440, AM0441, AM0443: it cannot be copied.</exception>
    public async Task<ValueList<ArtifactInput>> InputsOfAsync(IReadOnlyList<string>? texts, HomeId home, CancellationToken cancellationToken)
    {
        var inputs = new List<ArtifactInput>();
        foreach (string text in texts ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals + 1 == text.Length)
            {
                throw new MeshException(ArtifactErrors.BadArtifact, $"'{text}' names no input", "write NAME=JOB/ARTIFACT or NAME=sha256:...");
            }

            inputs.Add(InputOf(text[..equals], await FindForAsync(text[(equals + 1)..], home, cancellationToken).ConfigureAwait(false)));
        }

        ArtifactNames.CheckAll(inputs.Select(input => input.Name));
        return [.. inputs];
    }

    /// <summary>Contents by <c>sha256:...</c>, as far as they are there; those that are only in the other store of this device are copied.</summary>
    /// <exception cref="MeshException">AM0440, AM0441, AM0443: one cannot be copied.</exception>
    public async Task<IReadOnlyDictionary<string, StoredArtifact>> ContentsAsync(IEnumerable<string> sources, HomeId home, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, StoredArtifact>(StringComparer.Ordinal);
        foreach (string source in sources)
        {
            try
            {
                known[source] = await FindForAsync(source, home, cancellationToken).ConfigureAwait(false);
            }
            catch (MeshException gone) when (gone.Code == JournalErrors.ArtifactGone)
            {
                // Whoever names it says where.
            }
        }

        return known;
    }

    public static ArtifactInput InputOf(string name, StoredArtifact found) => new(name, HashOf(found.Hash), found.Size);

    /// <param name="text">With or without <c>sha256:</c>.</param>
    /// <exception cref="MeshException">AM0446.</exception>
    public static ContentHash HashOf(string text) => ContentHash.TryParse(text, out ContentHash hash)
        ? hash
        : throw new MeshException(ArtifactErrors.BadArtifact, $"'{text}' is no SHA-256", "write sha256: and 64 hexadecimal digits");

    public static MeshException Unknown(string text) =>
        new(JournalErrors.ArtifactGone, $"there is no artifact '{text}' on this device or in its pool", "'agentmesh artifact list' shows what is there; an artifact is kept by the home of its job");

    private static bool IsHash(string text) => text.StartsWith(ContentHash.Prefix, StringComparison.Ordinal);

    private async Task<StoredArtifact> FindForAsync(string text, HomeId home, CancellationToken cancellationToken)
    {
        IArtifactStore wanted = StoreOf(home);
        (StoredArtifact found, IArtifactStore store) = await FindAsync(text, [wanted, .. StoresOf(null).Where(other => other != wanted)], cancellationToken).ConfigureAwait(false);
        if (store != wanted)
        {
            await ArtifactStores.CopyAsync(found, store, wanted, cancellationToken).ConfigureAwait(false);
        }

        return found;
    }

    /// <param name="among">In the order in which what is no part of a job is looked for.</param>
    private async Task<(StoredArtifact Found, IArtifactStore Store)> FindAsync(string text, IReadOnlyList<IArtifactStore> among, CancellationToken cancellationToken)
    {
        int slash = text.LastIndexOf('/');
        if (slash >= 0 && !IsHash(text))
        {
            return await FindOfJobAsync(text, slash, cancellationToken).ConfigureAwait(false);
        }

        string? hash = IsHash(text) ? HashOf(text).Hex : null;
        foreach (IArtifactStore store in among)
        {
            StoredArtifact? found = hash is null
                ? await store.FindAsync("", text, cancellationToken).ConfigureAwait(false)
                : (await store.ListAsync(null, hash, 1, cancellationToken).ConfigureAwait(false)).FirstOrDefault();
            if (found is not null)
            {
                return (found, store);
            }
        }

        throw Unknown(text);
    }

    private async Task<(StoredArtifact Found, IArtifactStore Store)> FindOfJobAsync(string text, int slash, CancellationToken cancellationToken)
    {
        JobId job = await jobs.FindAsync(text[..slash], cancellationToken).ConfigureAwait(false);
        IArtifactStore store = StoreOf(job.Home);
        if (await store.FindAsync(job.ToString(), text[(slash + 1)..], cancellationToken).ConfigureAwait(false) is { } found)
        {
            return (found, store);
        }

        MeshJobView view = await jobs.GetAsync(job, cancellationToken).ConfigureAwait(false);
        throw view.State.IsAtRest()
            ? Unknown(text)
            : new MeshException(JournalErrors.ArtifactGone, $"job {job.Short} is {view.State.ToString().ToLowerInvariant()}: it has left nothing behind yet", "wait for it, or let a workflow run one after the other: docs/workflows.md");
    }

    private IArtifactStore StoreOf(HomeId home) => stores.Of(home) ?? throw Unknown(home.ToString());

    private IReadOnlyList<IArtifactStore> StoresOf(string? home) => home is null
        ? [StoreOf(homes.Of(null).Home), .. homes.All.Where(each => each.Home != homes.Of(null).Home).Select(each => StoreOf(each.Home))]
        : [StoreOf(homes.Of(home).Home)];

    private static ArtifactView ViewOf(StoredArtifact artifact) => new(
        artifact.Name,
        artifact.JobId.Length == 0 ? null : artifact.JobId,
        JobId.TryParse(artifact.JobId, out JobId job) ? job.Short : null,
        ContentHash.Prefix + artifact.Hash,
        artifact.Size,
        artifact.At);
}
