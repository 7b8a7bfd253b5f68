using AgentMesh.Transport;

namespace AgentMesh.Fuzz.Targets;

/// <summary>A stream of a connection whose other side has sent these bytes and ended it. Pieces are as small as <paramref name="pieceBytes"/>.</summary>
internal sealed class SentStream(ReadOnlyMemory<byte> bytes, int pieceBytes = int.MaxValue) : IMeshStream
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public ulong Id => 1;

    public StreamPriority Priority => StreamPriority.Ordinary;

    public int Left => _rest.Length;

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count = Math.Min(Math.Min(buffer.Length, _rest.Length), pieceBytes);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return ValueTask.FromResult(count);
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CompleteWritesAsync() => ValueTask.CompletedTask;

    public void Abort(ulong code)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>What was written to a stream.</summary>
internal sealed class WrittenStream : IMeshStream
{
    private readonly List<byte> _bytes = [];

    public ulong Id => 1;

    public StreamPriority Priority => StreamPriority.Ordinary;

    public byte[] Bytes => [.. _bytes];

    public static byte[] Of(Func<IMeshStream, ValueTask> write)
    {
        var stream = new WrittenStream();
        write(stream).AsTask().Wait();
        return stream.Bytes;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => ValueTask.FromResult(0);

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        _bytes.AddRange(data.ToArray());
        return ValueTask.CompletedTask;
    }

    public ValueTask CompleteWritesAsync() => ValueTask.CompletedTask;

    public void Abort(ulong code)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
