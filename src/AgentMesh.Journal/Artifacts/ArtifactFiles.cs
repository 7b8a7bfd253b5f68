using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Errors;
using AgentMesh.Files;

namespace AgentMesh.Journal.Artifacts;

/// <summary>
/// The files of an artifact store: <c>content/ab/HASH</c> holds a content, <c>partial/HASH</c> what has come of one, <c>names/KEY.json</c> says which job
/// calls it what. A content is in its place only whole, flushed and verified.
/// </summary>
internal sealed class ArtifactFiles
{
    private readonly string _content, _partial, _names;

    public ArtifactFiles(string root)
    {
        _content = Path.Combine(root, "content");
        _partial = Path.Combine(root, "partial");
        _names = Path.Combine(root, "names");
        foreach (string directory in (string[])[root, _content, _partial, _names])
        {
            Directory.CreateDirectory(directory);
        }
    }

    public string PathOf(string hash) => Path.Combine(_content, hash[..2], hash);

    public string PartialOf(string name) => Path.Combine(_partial, name);

    /// <summary>For what has no name yet.</summary>
    public string NewPartial() => PartialOf($"put-{Guid.NewGuid():N}");

    public IEnumerable<FileInfo> Partials() => new DirectoryInfo(_partial).EnumerateFiles();

    public IEnumerable<FileInfo> Contents() => new DirectoryInfo(_content).EnumerateFiles("*", SearchOption.AllDirectories);

    /// <summary>Moves a whole and verified file to its place.</summary>
    public void Publish(string partial, string hash)
    {
        using (FileStream file = File.Open(partial, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Flush(flushToDisk: true);
        }

        string path = PathOf(hash), directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            DirectorySync.Flush(_content);
        }

        File.Move(partial, path, overwrite: true);
        DirectorySync.Flush(directory);
    }

    /// <summary>What a crash leaves of it is removed by <see cref="Names"/>.</summary>
    public void Write(StoredArtifact artifact) =>
        WholeFile.Write(NamePathOf(artifact.JobId, artifact.Name), isSecret: false, file => JsonSerializer.Serialize(file, artifact, ArtifactJson.Default.StoredArtifact), sweeps: false);

    public void Remove(StoredArtifact artifact) => File.Delete(NamePathOf(artifact.JobId, artifact.Name));

    /// <summary>A name that a crash or damage left unreadable is none.</summary>
    public IEnumerable<StoredArtifact> Names()
    {
        foreach (string path in Directory.EnumerateFiles(_names))
        {
            StoredArtifact? artifact = null;
            try
            {
                artifact = path.EndsWith(".json", StringComparison.Ordinal) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ArtifactJson.Default.StoredArtifact) : null;
            }
            catch (JsonException)
            {
                // Below.
            }

            if (artifact is { JobId: not null, Name: not null, Hash.Length: 64 } && artifact.Hash.All(char.IsAsciiHexDigitLower) && new FileInfo(PathOf(artifact.Hash)) is { Exists: true } file && file.Length == artifact.Size)
            {
                yield return artifact;
            }
            else
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Writes a stream to a file, hashes and counts it.</summary>
    /// <exception cref="MeshException">AM0440: it is too large. AM0443: the disk failed.</exception>
    public static async Task<(string Hash, long Size)> ReceiveAsync(string partial, Stream from, ArtifactStoreSettings settings, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[256 * 1024];
        long size = 0;
        try
        {
            var file = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1, useAsync: true);
            await using (file.ConfigureAwait(false))
            {
                int read;
                while ((read = await from.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
                {
                    size += read;
                    if (size > settings.SizeMax)
                    {
                        throw ArtifactProblems.TooLarge(settings.SizeSettingName, size, settings.SizeMax);
                    }

                    hash.AppendData(piece, 0, read);
                    await file.WriteAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw ArtifactStore.NotStored(error);
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), size);
    }

    // A job id holds slashes: its hash is a safe file name.
    private string NamePathOf(string jobId, string name) => Path.Combine(_names, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{jobId}\n{name}")))[..40] + ".json");
}

[JsonSerializable(typeof(StoredArtifact))]
internal sealed partial class ArtifactJson : JsonSerializerContext;
