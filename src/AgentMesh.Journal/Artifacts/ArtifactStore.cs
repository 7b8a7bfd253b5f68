using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Journal.Artifacts;

namespace AgentMesh.Journal;

/// <summary>
/// Files by the hash of their content, at the home of the jobs that made them. The same content is there once, however many jobs have it. A content is
/// hashed and counted here, whatever its sender said of it. Thread-safe; one store for a directory.
/// </summary>
public sealed class ArtifactStore
{
    private const int PieceBytes = 256 * 1024;

    /// <summary>What has come of a content that nobody goes on with.</summary>
    private static readonly TimeSpan PartialKeptFor = TimeSpan.FromDays(1);

    private readonly ArtifactStoreSettings _settings;
    private readonly ArtifactFiles _files;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string JobId, string Name), StoredArtifact> _names = [];
    private readonly Dictionary<string, long> _contents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _coming = new(StringComparer.Ordinal);
    private long _bytes;

    private ArtifactStore(ArtifactStoreSettings settings, TimeProvider time)
    {
        _settings = settings;
        _files = new ArtifactFiles(settings.Directory);
        _time = time;
    }

    /// <summary>Contents that no job names are removed, and what is too old.</summary>
    public static ArtifactStore Open(ArtifactStoreSettings settings, TimeProvider time)
    {
        var store = new ArtifactStore(settings, time);
        foreach (StoredArtifact artifact in store._files.Names())
        {
            store._names[(artifact.JobId, artifact.Name)] = artifact;
            store.Count(artifact.Hash, artifact.Size);
        }

        DateTimeOffset now = time.GetUtcNow();
        foreach (FileInfo file in store._files.Contents().Where(file => !store._contents.ContainsKey(file.Name)).Concat(store._files.Partials().Where(file => now - file.LastWriteTimeUtc > PartialKeptFor)))
        {
            file.Delete();
        }

        store.RemoveOld();
        return store;
    }

    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<StoredArtifact> List()
    {
        lock (_gate)
        {
            return [.. _names.Values.OrderByDescending(artifact => artifact.At).ThenBy(artifact => artifact.Name, StringComparer.Ordinal)];
        }
    }

    public StoredArtifact? Find(string jobId, string name)
    {
        lock (_gate)
        {
            return _names.GetValueOrDefault((jobId, name));
        }
    }

    /// <summary>The size of a content; null where it is not there.</summary>
    public long? SizeOf(string hash)
    {
        lock (_gate)
        {
            return _contents.TryGetValue(hash, out long size) ? size : null;
        }
    }

    /// <summary>Begins to take a content, or goes on where an earlier one stopped.</summary>
    /// <param name="hash">64 hexadecimal digits in lower case.</param>
    /// <exception cref="MeshException">AM0440: too large. AM0441: no room. AM0443: the disk failed, or somebody else sends the same content just now.</exception>
    public ArtifactUpload Begin(string hash, long size)
    {
        if (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower))
        {
            throw new MeshException(JournalErrors.ArtifactDamaged, "this is no SHA-256", "this is a defect of the sender");
        }

        lock (_gate)
        {
            if (_contents.ContainsKey(hash))
            {
                return new ArtifactUpload(this, hash, size, null);
            }

            if (_coming.ContainsKey(hash))
            {
                throw new MeshException(JournalErrors.ArtifactNotStored, "the same content is being taken just now", "nothing needs to be done: it is tried again");
            }

            MakeRoom(size);
            FileStream file = Tried(() => new FileStream(_files.PartialOf(hash), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
            _coming[hash] = size;
            if (file.Length > size)
            {
                file.SetLength(0);
            }

            file.Position = file.Length;
            return new ArtifactUpload(this, hash, size, file);
        }
    }

    /// <summary>Takes a file whose hash is not known yet, under a name and for no job.</summary>
    /// <exception cref="MeshException">AM0440, AM0441, AM0443.</exception>
    public async Task<StoredArtifact> PutAsync(string name, Stream from, CancellationToken cancellationToken)
    {
        string partial = _files.PartialOf($"put-{Guid.NewGuid():N}");
        try
        {
            (string hash, long size) = await ReceiveAsync(partial, from, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                if (!_contents.ContainsKey(hash))
                {
                    MakeRoom(size);
                    Tried(() =>
                    {
                        _files.Publish(partial, hash);
                        return 0;
                    });
                }

                return Name(new StoredArtifact("", 0, name, hash, size, _time.GetUtcNow()));
            }
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Gives a content that is there a name. A newer attempt replaces what an older one left.</summary>
    /// <exception cref="MeshException">AM0442: the content is not there, or not of that size. AM0443: the disk failed, or a newer attempt was there first.</exception>
    public StoredArtifact Name(StoredArtifact artifact)
    {
        lock (_gate)
        {
            if (_names.GetValueOrDefault((artifact.JobId, artifact.Name)) is { } known)
            {
                if (known.Attempt > artifact.Attempt)
                {
                    throw new MeshException(JournalErrors.ArtifactNotStored, $"a newer attempt left {artifact.Name} already", "nothing needs to be done");
                }

                if (known with { At = artifact.At } == artifact)
                {
                    return known;
                }
            }

            if (!_contents.TryGetValue(artifact.Hash, out long size) && new FileInfo(_files.PathOf(artifact.Hash)) is { Exists: true } file)
            {
                size = file.Length;
                Count(artifact.Hash, size);
            }

            if (!_contents.ContainsKey(artifact.Hash) || size != artifact.Size)
            {
                throw Gone(artifact.Hash);
            }

            Tried(() =>
            {
                _files.Write(artifact);
                return 0;
            });
            StoredArtifact? before = _names.GetValueOrDefault((artifact.JobId, artifact.Name));
            _names[(artifact.JobId, artifact.Name)] = artifact;
            if (before is not null)
            {
                DropUnnamed(before.Hash);
            }

            while (_names.Count > ArtifactStoreSettings.CountMax)
            {
                Remove(_names.Values.MinBy(each => each.At)!);
            }

            return artifact;
        }
    }

    /// <exception cref="MeshException">AM0442: it is not there.</exception>
    public FileStream OpenRead(string hash)
    {
        try
        {
            return SizeOf(hash) is null ? throw Gone(hash) : new FileStream(_files.PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, PieceBytes, useAsync: true);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Gone(hash);
        }
    }

    /// <summary>Removes a name, and the content where it was the last one.</summary>
    /// <returns>False where there was none.</returns>
    public bool Remove(string jobId, string name)
    {
        lock (_gate)
        {
            if (_names.GetValueOrDefault((jobId, name)) is not { } known)
            {
                return false;
            }

            Remove(known);
            return true;
        }
    }

    /// <summary>Removes what is older than it may be.</summary>
    public void RemoveOld()
    {
        if (_settings.RetainedFor is not { } limit)
        {
            return;
        }

        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            foreach (StoredArtifact old in _names.Values.Where(artifact => now - artifact.At > limit).ToArray())
            {
                Remove(old);
            }
        }
    }

    internal void Ended(string hash)
    {
        lock (_gate)
        {
            _coming.Remove(hash);
        }
    }

    /// <summary>Everything has come: hashes it, and puts it in its place.</summary>
    internal void Complete(FileStream file, string hash, long size)
    {
        string partial = file.Name;
        file.Position = 0;
        bool isWhole;
        using (file)
        {
            isWhole = file.Length == size && Tried(() => Convert.ToHexStringLower(SHA256.HashData(file))) == hash;
        }

        if (!isWhole)
        {
            File.Delete(partial);
            throw new MeshException(JournalErrors.ArtifactDamaged, "what came is not the content that was announced", "nothing needs to be done: it is sent again");
        }

        lock (_gate)
        {
            Tried(() =>
            {
                _files.Publish(partial, hash);
                return 0;
            });
            Count(hash, size);
        }
    }

    internal static T Tried<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotStored(error);
        }
    }

    internal static MeshException NotStored(Exception error) => new(JournalErrors.ArtifactNotStored, $"the artifact store cannot write: {error.Message}", "free space in the data directory", error);

    private async Task<(string Hash, long Size)> ReceiveAsync(string partial, Stream from, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[PieceBytes];
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
                    if (size > _settings.SizeMax)
                    {
                        throw TooLarge(size);
                    }

                    hash.AppendData(piece, 0, read);
                    await file.WriteAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotStored(error);
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), size);
    }

    /// <summary>The oldest go first; what is safe stays.</summary>
    private void MakeRoom(long size)
    {
        if (size < 0 || size > _settings.SizeMax)
        {
            throw TooLarge(size);
        }

        RemoveOld();
        long wanted = size + _coming.Values.Sum();
        DateTimeOffset now = _time.GetUtcNow();
        while (_bytes + wanted > _settings.BytesMax)
        {
            if (_names.Values.Where(artifact => now - artifact.At >= _settings.SafeFor).MinBy(artifact => artifact.At) is not { } oldest)
            {
                throw new MeshException(
                    JournalErrors.ArtifactStoreFull,
                    $"the artifact store holds {_bytes} bytes of {_settings.BytesMax}, and {size} more do not fit",
                    "remove some with 'agentmesh artifact rm', or raise agentmesh.artifacts.retained-max");
            }

            Remove(oldest);
        }
    }

    private void Remove(StoredArtifact artifact)
    {
        Tried(() =>
        {
            _files.Remove(artifact);
            return 0;
        });
        _names.Remove((artifact.JobId, artifact.Name));
        DropUnnamed(artifact.Hash);
    }

    private void DropUnnamed(string hash)
    {
        if (_names.Values.All(other => other.Hash != hash) && _contents.Remove(hash, out long size))
        {
            _bytes -= size;
            Tried(() =>
            {
                File.Delete(_files.PathOf(hash));
                return 0;
            });
        }
    }

    private void Count(string hash, long size)
    {
        if (_contents.TryAdd(hash, size))
        {
            _bytes += size;
        }
    }

    private MeshException TooLarge(long size) =>
        new(JournalErrors.ArtifactTooLarge, $"an artifact of {size} bytes or more; {_settings.SizeMax} are the most", "raise agentmesh.artifacts.size-max on the home of the job, or leave less behind");

    private static MeshException Gone(string hash) =>
        new(JournalErrors.ArtifactGone, $"the content sha256:{hash} is not in the store of this device", "'agentmesh artifact list' shows what is; it may have been removed to make room, or for its age");
}
