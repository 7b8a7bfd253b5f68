using System.Buffers;
using System.Buffers.Binary;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Transport;
using Google.Protobuf;

namespace AgentMesh.Remoting;

/// <summary>One lane of an association on its way out: a bounded queue in front of a stream. Frames are a 4-byte little-endian length and that many bytes.</summary>
internal sealed class FrameWriter
{
    /// <summary>Payloads that wait; each is about 32 KiB, so a lane holds some 4 MiB at most.</summary>
    private const int WaitingMax = 128;

    private readonly IMeshStream _stream;
    private readonly Channel<ByteString> _waiting = Channel.CreateBounded<ByteString>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly Lock _gate = new();
    private Action? _whenWritable;
    private bool _ended;

    public FrameWriter(IMeshStream stream)
    {
        _stream = stream;
        Running = Task.Run(RunAsync);
    }

    /// <summary>Never fails. True when everything was written, false when the stream ended before that.</summary>
    public Task<bool> Running { get; }

    /// <summary>No further payload is taken now.</summary>
    public bool IsFull => _waiting.Reader.Count >= WaitingMax;

    public bool TryWrite(ByteString payload) => _waiting.Writer.TryWrite(payload);

    public void NotifyWhenWritable(Action callback)
    {
        lock (_gate)
        {
            if (!_ended && IsFull)
            {
                _whenWritable += callback;
                return;
            }
        }

        callback();
    }

    /// <summary>No more payloads; those that wait are still sent.</summary>
    public void Complete() => _waiting.Writer.TryComplete();

    private async Task<bool> RunAsync()
    {
        try
        {
            await foreach (ByteString payload in _waiting.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                TellWritable();
                await WriteAsync(payload).ConfigureAwait(false);
            }

            await _stream.CompleteWritesAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is IOException or MeshException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _waiting.Writer.TryComplete();
            lock (_gate)
            {
                _ended = true;
            }

            TellWritable();
        }
    }

    /// <summary>Length and payload in one write: a stream that has nothing else to send makes a datagram of each.</summary>
    private async Task WriteAsync(ByteString payload)
    {
        int size = sizeof(int) + payload.Length;
        byte[] frame = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
            payload.Span.CopyTo(frame.AsSpan(sizeof(int)));
            await _stream.WriteAsync(frame.AsMemory(0, size), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private void TellWritable()
    {
        Action? told;
        lock (_gate)
        {
            told = _whenWritable;
            _whenWritable = null;
        }

        told?.Invoke();
    }
}
