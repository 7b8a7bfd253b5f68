using AgentMesh.Protocol.Streams;

namespace AgentMesh.Transport;

/// <summary>One stream of a <see cref="MeshConnection"/>.</summary>
internal sealed class MeshStream : IMeshStream
{
    private readonly MeshConnection _connection;

    public MeshStream(MeshConnection connection, ProtocolStream inner)
    {
        _connection = connection;
        Inner = inner;
        inner.Owner = this;
    }

    public ulong Id => Inner.Id.Value;

    public StreamPriority Priority => (StreamPriority)Inner.Id.Class;

    public ProtocolStream Inner { get; }

    public Signal Readable { get; } = new();

    public Signal Writable { get; } = new();

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = _connection.Read(this, buffer.Span, out Task wait);
            if (count >= 0)
            {
                return count;
            }

            await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int taken = _connection.Write(this, data.Span, out Task wait);
            data = data[taken..];
            if (!data.IsEmpty)
            {
                await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public ValueTask CompleteWritesAsync()
    {
        _connection.Finish(this);
        return ValueTask.CompletedTask;
    }

    public void Abort(ulong code) => _connection.Abort(this, code);

    public ValueTask DisposeAsync()
    {
        _connection.Leave(this);
        return ValueTask.CompletedTask;
    }
}
