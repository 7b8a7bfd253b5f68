using AgentMesh.Errors;

namespace AgentMesh.Journal.Artifacts;

/// <summary>A content of a pool, read chunk by chunk as it is wanted: it may be larger than what fits into memory.</summary>
internal sealed class PostgresArtifactStream(PostgresArtifactStore store, long key, string hash, long length) : Stream
{
    private ReadOnlyMemory<byte> _ahead;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
            _ahead = ReadOnlyMemory<byte>.Empty;
        }
    }

    /// <exception cref="MeshException">AM0442: the content was removed meanwhile. AM0450: the database.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= length || buffer.Length == 0)
        {
            return 0;
        }

        if (_ahead.IsEmpty)
        {
            _ahead = await store.ChunkAsync(key, _position, cancellationToken).ConfigureAwait(false);
            if (_ahead.IsEmpty)
            {
                throw store.Gone(hash);
            }
        }

        int taken = Math.Min(buffer.Length, _ahead.Length);
        _ahead[..taken].CopyTo(buffer);
        _ahead = _ahead[taken..];
        _position += taken;
        return taken;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => length + offset,
    };

    /// <summary>A database is not read on the thread of who asks.</summary>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
