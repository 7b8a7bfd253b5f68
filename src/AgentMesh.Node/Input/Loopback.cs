using System.IO.Pipelines;
using AgentMesh.Transport;

namespace AgentMesh.Node.Input;

/// <summary>A stream of a device to itself: what is written at one end is read at the other, and a writer that is too far ahead waits.</summary>
internal sealed class Loopback : IMeshStream
{
    private const int BytesMax = 256 * 1024;

    private readonly PipeReader _in;
    private readonly PipeWriter _out;

    private Loopback(PipeReader input, PipeWriter output)
    {
        _in = input;
        _out = output;
    }

    public ulong Id => 0;

    public StreamPriority Priority => StreamPriority.Bulk;

    public static (IMeshStream Here, IMeshStream There) Create()
    {
        var options = new PipeOptions(pauseWriterThreshold: BytesMax, resumeWriterThreshold: BytesMax / 2, useSynchronizationContext: false);
        Pipe to = new(options), from = new(options);
        return (new Loopback(from.Reader, to.Writer), new Loopback(to.Reader, from.Writer));
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ReadResult result = await _in.ReadAsync(cancellationToken).ConfigureAwait(false);
        int count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        System.Buffers.BuffersExtensions.CopyTo(result.Buffer.Slice(0, count), buffer.Span);
        _in.AdvanceTo(result.Buffer.GetPosition(count));
        return count;
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        FlushResult result = await _out.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        if (result.IsCompleted)
        {
            throw new StreamAbortedException(0, "the other end is closed");
        }
    }

    public ValueTask CompleteWritesAsync() => _out.CompleteAsync();

    public void Abort(ulong code)
    {
        var why = new StreamAbortedException(code, "the other end has aborted the stream");
        _out.Complete(why);
        _in.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        await _out.CompleteAsync().ConfigureAwait(false);
        await _in.CompleteAsync().ConfigureAwait(false);
    }
}
