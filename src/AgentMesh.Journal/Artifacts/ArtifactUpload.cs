using AgentMesh.Errors;

namespace AgentMesh.Journal;

/// <summary>A content that comes. Dispose it; what has come is kept for whoever goes on.</summary>
public sealed class ArtifactUpload : IDisposable
{
    private readonly ArtifactStore _store;
    private readonly string _hash;
    private readonly long _size;
    private FileStream? _file;
    private bool _isMine;

    internal ArtifactUpload(ArtifactStore store, string hash, long size, FileStream? file)
    {
        _store = store;
        _hash = hash;
        _size = size;
        _file = file;
        _isMine = file is not null;
        IsThere = file is null;
        Offset = file?.Length ?? size;
    }

    /// <summary>The store had it already, or has it now.</summary>
    public bool IsThere { get; private set; }

    /// <summary>So much has come.</summary>
    public long Offset { get; private set; }

    /// <exception cref="MeshException">AM0443; AM0444: more than was announced.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (_file is null || Offset + data.Length > _size)
        {
            throw new MeshException(JournalErrors.ArtifactDamaged, "more came than was announced", "nothing needs to be done: it is sent again");
        }

        try
        {
            await _file.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            Offset += data.Length;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw ArtifactStore.NotStored(error);
        }
    }

    /// <summary>On disk, hashed, and in its place when it returns.</summary>
    /// <exception cref="MeshException">AM0444: it is not what was announced. AM0443.</exception>
    public void Complete()
    {
        if (_file is { } file)
        {
            _file = null;
            _store.Complete(file, _hash, _size);
            IsThere = true;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        if (_isMine)
        {
            _isMine = false;
            _store.Ended(_hash);
        }
    }
}
