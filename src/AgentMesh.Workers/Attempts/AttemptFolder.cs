using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Mesh.Artifacts;

namespace AgentMesh.Workers.Attempts;

/// <summary>
/// The working directory of an attempt with artifacts: <c>inputs</c> in it holds what it was given, and what it shall leave behind is looked for in it. One that is locked in has
/// it too, for what it has nowhere else to put. It goes when the home has recorded the end.
/// </summary>
internal sealed class AttemptFolder(AttemptOrder order, ExecutionTools tools)
{
    private const string Root = ".attempts", Inputs = "inputs", Outputs = "outputs";

    public string Work { get; } = PathOf(order.Key, tools);

    public void AddTo(Dictionary<string, string> environment)
    {
        environment["AGENTMESH_WORK_DIR"] = Work;
        if (!order.MovesArtifacts)
        {
            return;
        }

        environment["AGENTMESH_INPUT_DIR"] = Path.Combine(Work, Inputs);
        environment["AGENTMESH_OUTPUT_DIR"] = Path.Combine(Work, Outputs);
    }

    /// <exception cref="MeshException">An input cannot be had.</exception>
    public async Task PrepareAsync(CancellationToken cancel)
    {
        foreach (string directory in order.MovesArtifacts ? (string[])[Work, Path.Combine(Work, Inputs), Path.Combine(Work, Outputs)] : [Work])
        {
            PrivateFolder.Create(directory);
        }

        foreach (ArtifactInput input in order.Inputs)
        {
            if (!ArtifactNames.IsName(input.Name))
            {
                throw new MeshException(ArtifactErrors.BadArtifact, $"'{input.Name}' is no name of a file", "this is a defect of the home of the job");
            }

            await Carrier.FetchAsync(order.Key, input, Path.Combine(Work, Inputs, input.Name), cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Where the program begins: here, unless it was told otherwise.</summary>
    /// <exception cref="MeshException">AM0628: there is no such directory.</exception>
    public string Beginning => order.MovesArtifacts || order.Directory is null ? Work : Processes.ProgramDirectory.Find(order.Directory, tools.WorkingDirectory);

    /// <summary>Hashes what the program left behind and brings it to the home.</summary>
    /// <exception cref="MeshException">AM0445: it left something else behind, or nothing. Or the home does not take it.</exception>
    public async Task<IReadOnlyList<ArtifactRef>> DeliverAsync(CancellationToken cancel)
    {
        var delivered = new List<ArtifactRef>();
        foreach (JobArtifact artifact in order.Artifacts)
        {
            string file = Find(artifact);
            byte[] hash;
            long size;
            FileStream content = RegularFile.OpenRead(file) ?? throw NotMade(artifact, "is no regular file");
            await using (content.ConfigureAwait(false))
            {
                hash = await SHA256.HashDataAsync(content, cancel).ConfigureAwait(false);
                size = content.Position;
            }

            var known = new ArtifactRef(artifact.Name, ContentHash.Of(hash), size);
            await Carrier.DeliverAsync(order.Key, known, file, cancel).ConfigureAwait(false);
            delivered.Add(known);
        }

        return delivered;
    }

    public static MeshException NoProgram() => new(ArtifactErrors.BadArtifact, "artifacts and inputs are for programs only", "use 'run'");

    public static void Remove(AttemptOrder order, ExecutionTools tools)
    {
        // Also where this process took the attempt over and does not know that it had inputs.
        string path = PathOf(order.Key, tools);
        if (Directory.Exists(path))
        {
            Leftovers.Remove(path);
        }
    }

    /// <summary>Removes what attempts left that nobody knows any more.</summary>
    public static void Sweep(ExecutionTools tools, IEnumerable<AttemptKey> known)
    {
        string root = Path.Combine(tools.WorkingDirectory, Root);
        var kept = known.Select(ExecutionTable.NameOf).ToHashSet(StringComparer.Ordinal);
        foreach (string directory in Directory.Exists(root) ? Directory.GetDirectories(root) : [])
        {
            if (!kept.Contains(Path.GetFileName(directory)))
            {
                Leftovers.Remove(directory);
            }
        }
    }

    private IArtifactCarrier Carrier => tools.Artifacts ?? throw new MeshException(ArtifactErrors.BadArtifact, $"{tools.DeviceName} does not move artifacts", "run the job on another device");

    private static string PathOf(AttemptKey key, ExecutionTools tools) => Path.Combine(tools.WorkingDirectory, Root, ExecutionTable.NameOf(key));

    /// <summary>Through no link: what a job leaves behind is a file of its own directory.</summary>
    private string Find(JobArtifact artifact)
    {
        string path = Work;
        foreach (string part in ArtifactNames.IsPath(artifact.Path) ? artifact.Path.Split('/') : throw NotMade(artifact, "is no path"))
        {
            path = Path.Combine(path, part);
            if (new FileInfo(path).LinkTarget is not null)
            {
                throw NotMade(artifact, "is a link, or behind one");
            }
        }

        return File.Exists(path) ? path : throw NotMade(artifact, Directory.Exists(path) ? "is a directory" : "is not there");
    }

    private MeshException NotMade(JobArtifact artifact, string why) => new(
        ArtifactErrors.NotMade, $"the program ended well, but its artifact {artifact.Name} {why}: {artifact.Path}", "it must write a file there; the path counts from its working directory, $AGENTMESH_WORK_DIR");
}
