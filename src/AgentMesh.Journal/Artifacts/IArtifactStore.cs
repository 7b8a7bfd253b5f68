using AgentMesh.Errors;

namespace AgentMesh.Journal;

/// <summary>
/// Files by the hash of their content, at the home of the jobs that made them. The same content is there once, however many jobs have it. A content is
/// hashed and counted by the store, whatever its sender said of it. Thread-safe.
/// </summary>
public interface IArtifactStore
{
    /// <summary>Names, the newest first.</summary>
    /// <param name="jobId">Only those of this job; empty for what people put there, null for all.</param>
    /// <param name="hash">Only those of this content; null for all.</param>
    /// <exception cref="MeshException">AM0450: the database of a pool cannot be reached; all methods of a pool's store throw it.</exception>
    Task<IReadOnlyList<StoredArtifact>> ListAsync(string? jobId, string? hash, int limit, CancellationToken cancellationToken);

    Task<StoredArtifact?> FindAsync(string jobId, string name, CancellationToken cancellationToken);

    /// <summary>Begins to take a content, or goes on where an earlier one stopped.</summary>
    /// <param name="hash">64 hexadecimal digits in lower case.</param>
    /// <exception cref="MeshException">AM0440: too large. AM0441: no room. AM0443: the store failed, or somebody else sends the same content just now.</exception>
    Task<ArtifactUpload> BeginAsync(string hash, long size, CancellationToken cancellationToken);

    /// <summary>Takes a file whose hash is not known yet, under a name and for no job.</summary>
    /// <exception cref="MeshException">AM0440, AM0441, AM0443.</exception>
    Task<StoredArtifact> PutAsync(string name, Stream from, CancellationToken cancellationToken);

    /// <summary>Gives a content that is there a name. A newer attempt replaces what an older one left.</summary>
    /// <exception cref="MeshException">AM0442: the content is not there, or not of that size. AM0443: the store failed, or a newer attempt was there first.</exception>
    Task<StoredArtifact> NameAsync(StoredArtifact artifact, CancellationToken cancellationToken);

    /// <returns>A stream that can be positioned; what it reads may end with AM0442 where the content is removed meanwhile.</returns>
    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Removes a name, and the content where it was the last one.</summary>
    /// <returns>False where there was none.</returns>
    Task<bool> RemoveAsync(string jobId, string name, CancellationToken cancellationToken);

    /// <summary>Removes what is older than it may be.</summary>
    Task RemoveOldAsync(CancellationToken cancellationToken);

    /// <summary>Of all contents.</summary>
    Task<long> BytesAsync(CancellationToken cancellationToken);
}

/// <summary>A content that comes. Dispose it; what has come is kept for whoever goes on. For one caller at a time.</summary>
public abstract class ArtifactUpload : IAsyncDisposable
{
    /// <summary>The store had it already, or has it now.</summary>
    public bool IsThere { get; protected set; }

    /// <summary>So much has come.</summary>
    public long Offset { get; protected set; }

    /// <exception cref="MeshException">AM0443; AM0444: more than was announced.</exception>
    public abstract Task AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Stored, hashed, and in its place when it returns.</summary>
    /// <exception cref="MeshException">AM0444: it is not what was announced. AM0443.</exception>
    public abstract Task CompleteAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();

    internal static MeshException Damaged(string what) => new(JournalErrors.ArtifactDamaged, what, "nothing needs to be done: it is sent again");
}
