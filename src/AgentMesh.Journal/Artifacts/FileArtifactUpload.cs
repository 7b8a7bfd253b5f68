using AgentMesh.Errors;

namespace AgentMesh.Journal.Artifacts;

/// <summary>A content that comes into a file.</summary>
internal sealed class FileArtifactUpload : ArtifactUpload
{
    private readonly ArtifactStore _store;
    private readonly string _hash;
    private readonly long _size;
    private FileStream? _file;
    private bool _isMine;

    public FileArtifactUpload(ArtifactStore store, string hash, long size, FileStream? file)
    {
        _store = store;
        _hash = hash;
        _size = size;
        _file = file;
        _isMine = file is not null;
        IsThere = file is null;
        Offset = file?.Length ?? size;
    }

    public override async Task AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (_file is null || Offset + data.Length > _size)
        {
            throw Damaged("more came than was announced");
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

    public override async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_file is { } file)
        {
            _file = null;
            await Task.Run(() => _store.Complete(file, _hash, _size), cancellationToken).ConfigureAwait(false);
            IsThere = true;
        }
    }

    public override ValueTask DisposeAsync()
    {
        _file?.Dispose();
        _file = null;
        if (_isMine)
        {
            _isMine = false;
            _store.Ended(_hash);
        }

        return ValueTask.CompletedTask;
    }
}
