using AgentMesh.Protocol.Streams;

namespace AgentMesh.Transport;

/// <summary>One stream of a <see cref="MeshConnection"/>.</summary>
internal sealed class MeshStream : IMeshStream
{
    private readonly StreamCalls _calls;

    public MeshStream(StreamCalls calls, ProtocolStream inner)
    {
        _calls = calls;
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
            int count = _calls.Read(this, buffer.Span, out Task wait);
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
            int taken = _calls.Write(this, data.Span, out Task wait);
            data = data[taken..];
            if (!data.IsEmpty)
            {
                await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public ValueTask CompleteWritesAsync()
    {
        _calls.Finish(this);
        return ValueTask.CompletedTask;
    }

    public void Abort(ulong code) => _calls.Abort(this, code);

    public ValueTask DisposeAsync()
    {
        _calls.Leave(this);
        return ValueTask.CompletedTask;
    }
}
