using System.Buffers;
using System.IO.Pipelines;
using AgentMesh.Transport;

namespace AgentMesh.Remoting.Tests.Doubles;

internal sealed class MemoryStreamEnd(ulong id, StreamPriority priority, PipeReader reader, PipeWriter writer) : IMeshStream
{
    private readonly CancellationTokenSource _aborted = new();
    private long _abortCode = -1;

    public MemoryStreamEnd Other { get; set; } = null!;

    public ulong Id => id;

    public StreamPriority Priority => priority;

    /// <summary>The code of the abort, whichever side called it; -1 while there was none.</summary>
    public long AbortCode => Interlocked.Read(ref _abortCode);

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        try
        {
            ReadResult result = await reader.ReadAsync(either.Token);
            if (result.Buffer.IsEmpty && result.IsCompleted)
                return 0;
            ReadOnlySequence<byte> part = result.Buffer.Slice(0, Math.Min(buffer.Length, result.Buffer.Length));
            part.CopyTo(buffer.Span);

            // Before AdvanceTo, which takes the memory of the part back.
            int length = (int)part.Length;
            reader.AdvanceTo(part.End);
            return length;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StreamAbortedException((ulong)AbortCode, "reset");
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            await writer.WriteAsync(data, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StreamAbortedException((ulong)AbortCode, "reset");
        }
    }

    public ValueTask CompleteWritesAsync() => writer.CompleteAsync();

    public void Abort(ulong code)
    {
        AbortHere(code);
        Other.AbortHere(code);
    }

    public ValueTask DisposeAsync()
    {
        if (AbortCode < 0)
            return writer.CompleteAsync();
        return ValueTask.CompletedTask;
    }

    private void AbortHere(ulong code)
    {
        if (Interlocked.CompareExchange(ref _abortCode, (long)code, -1) == -1)
            _aborted.Cancel();
    }
}
