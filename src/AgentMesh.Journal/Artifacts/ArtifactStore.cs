using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Journal.Artifacts;

namespace AgentMesh.Journal;

/// <summary>The artifacts of a device, in a directory. One store for a directory.</summary>
public sealed class ArtifactStore : IArtifactStore
{
    private const string Place = "this device";
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

    public Task<long> BytesAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_bytes);
        }
    }

    public Task<IReadOnlyList<StoredArtifact>> ListAsync(string? jobId, string? hash, int limit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<StoredArtifact>>(
            [
                .. _names.Values.Where(artifact => (jobId is null || artifact.JobId == jobId) && (hash is null || artifact.Hash == hash))
                    .OrderByDescending(artifact => artifact.At).ThenBy(artifact => artifact.Name, StringComparer.Ordinal).Take(limit),
            ]);
        }
    }

    public Task<StoredArtifact?> FindAsync(string jobId, string name, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_names.GetValueOrDefault((jobId, name)));
        }
    }

    public Task<ArtifactUpload> BeginAsync(string hash, long size, CancellationToken cancellationToken)
    {
        ArtifactProblems.CheckHash(hash);
        lock (_gate)
        {
            if (_contents.ContainsKey(hash))
            {
                return Task.FromResult<ArtifactUpload>(new FileArtifactUpload(this, hash, size, null));
            }

            if (_coming.ContainsKey(hash))
            {
                throw ArtifactProblems.IsComing();
            }

            MakeRoom(size);
            FileStream file = Tried(() => new FileStream(_files.PartialOf(hash), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
            _coming[hash] = size;
            if (file.Length > size)
            {
                file.SetLength(0);
            }

            file.Position = file.Length;
            return Task.FromResult<ArtifactUpload>(new FileArtifactUpload(this, hash, size, file));
        }
    }

    public async Task<StoredArtifact> PutAsync(string name, Stream from, CancellationToken cancellationToken)
    {
        string partial = _files.NewPartial();
        try
        {
            (string hash, long size) = await ArtifactFiles.ReceiveAsync(partial, from, _settings, cancellationToken).ConfigureAwait(false);
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

    public Task<StoredArtifact> NameAsync(StoredArtifact artifact, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(Name(artifact));
        }
    }

    public Task<Stream> OpenReadAsync(string hash, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_contents.ContainsKey(hash))
            {
                throw ArtifactProblems.Gone(Place, hash);
            }
        }

        try
        {
            return Task.FromResult<Stream>(new FileStream(_files.PathOf(hash), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, PieceBytes, useAsync: true));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw ArtifactProblems.Gone(Place, hash);
        }
    }

    public Task<bool> RemoveAsync(string jobId, string name, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_names.GetValueOrDefault((jobId, name)) is not { } known)
            {
                return Task.FromResult(false);
            }

            Remove(known);
            return Task.FromResult(true);
        }
    }

    public Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        RemoveOld();
        return Task.CompletedTask;
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
            throw ArtifactUpload.Damaged("what came is not the content that was announced");
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

    /// <summary>Under the lock.</summary>
    private StoredArtifact Name(StoredArtifact artifact)
    {
        if (_names.GetValueOrDefault((artifact.JobId, artifact.Name)) is { } known)
        {
            if (known.Attempt > artifact.Attempt)
            {
                throw ArtifactProblems.NewerAttempt(artifact.Name);
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
            throw ArtifactProblems.Gone(Place, artifact.Hash);
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

    private void RemoveOld()
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

    /// <summary>The oldest go first; what is safe stays.</summary>
    private void MakeRoom(long size)
    {
        if (size < 0 || size > _settings.SizeMax)
        {
            throw ArtifactProblems.TooLarge(ArtifactStoreSettings.SizeSetting, size, _settings.SizeMax);
        }

        RemoveOld();
        long wanted = size + _coming.Values.Sum();
        DateTimeOffset now = _time.GetUtcNow();
        while (_bytes + wanted > _settings.BytesMax)
        {
            if (_names.Values.Where(artifact => now - artifact.At >= _settings.SafeFor).MinBy(artifact => artifact.At) is not { } oldest)
            {
                throw ArtifactProblems.Full(Place, ArtifactStoreSettings.BytesSetting, _bytes, _settings.BytesMax, size);
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
}
