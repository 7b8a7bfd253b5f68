using System.Security.Cryptography;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Artifacts;

/// <summary>A content that comes into the database of a pool, chunk by chunk. Each chunk that is full is committed; the last one when it ends, or is given up.</summary>
internal sealed class PostgresArtifactUpload : ArtifactUpload
{
    public const int ChunkBytesMax = 256 * 1024;

    private readonly PostgresArtifactStore _store;
    private readonly long _key;
    private readonly string _sender;
    private readonly string _hash;
    private readonly long _size;
    private readonly byte[] _chunk;
    private int _filled;
    private bool _isOver;

    /// <param name="key">0 for a content that is there.</param>
    public PostgresArtifactUpload(PostgresArtifactStore store, long key, string sender, string hash, long size, long offset)
    {
        _store = store;
        _key = key;
        _sender = sender;
        _hash = hash;
        _size = size;
        _chunk = key == 0 ? [] : new byte[Math.Min(ChunkBytesMax, size - offset)];
        IsThere = _isOver = key == 0;
        Offset = offset;
    }

    public override async Task AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (_isOver || Offset + data.Length > _size)
        {
            throw Damaged("more came than was announced");
        }

        while (data.Length > 0)
        {
            int taken = Math.Min(data.Length, _chunk.Length - _filled);
            data[..taken].CopyTo(_chunk.AsMemory(_filled));
            _filled += taken;
            Offset += taken;
            data = data[taken..];
            if (_filled == _chunk.Length)
            {
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_isOver)
        {
            return;
        }

        await FlushAsync(cancellationToken).ConfigureAwait(false);
        _isOver = true;
        if (Offset != _size || await HashAsync(cancellationToken).ConfigureAwait(false) != _hash)
        {
            await _store.DiscardAsync(_key, _sender).ConfigureAwait(false);
            throw Damaged("what came is not the content that was announced");
        }

        if (!await _store.PublishAsync(_key, _sender, cancellationToken).ConfigureAwait(false))
        {
            throw PostgresArtifactStore.Overtaken();
        }

        IsThere = true;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_key == 0)
        {
            return;
        }

        try
        {
            if (!_isOver)
            {
                _isOver = true;
                await FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }

            await _store.ReleaseAsync(_key, _sender).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // Who goes on begins where the database stands, when this sender has been silent for a while.
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_filled == 0)
        {
            return;
        }

        byte[] piece = _chunk[.._filled];
        _filled = 0;
        if (!await _store.AppendAsync(_key, _sender, Offset - piece.Length, piece, cancellationToken).ConfigureAwait(false))
        {
            _isOver = true;
            throw PostgresArtifactStore.Overtaken();
        }
    }

    private async Task<string> HashAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < _size;)
        {
            ReadOnlyMemory<byte> chunk = await _store.ChunkAsync(_key, at, cancellationToken).ConfigureAwait(false);
            if (chunk.IsEmpty)
            {
                break;
            }

            hash.AppendData(chunk.Span);
            at += chunk.Length;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
