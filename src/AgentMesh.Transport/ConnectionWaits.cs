using System.Threading.Channels;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Transport;

/// <summary>Who waits for something of one <see cref="MeshConnection"/>: for streams, for room to open one, for bytes, for an answer, for its end. Used under the lock of the connection.</summary>
internal sealed class ConnectionWaits(StreamCalls calls)
{
    private readonly Channel<IMeshStream> _opened = Channel.CreateUnbounded<IMeshStream>();
    private readonly TaskCompletionSource<ConnectionEnd> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Signal _measured = new();
    private readonly Signal[] _mayOpen = [new(), new(), new()];

    /// <summary>Needs no lock.</summary>
    public Task<ConnectionEnd> Closed => _closed.Task;

    /// <inheritdoc cref="IMeshConnection.AcceptStreamAsync"/>
    /// <remarks>Needs no lock.</remarks>
    public async ValueTask<IMeshStream?> AcceptAsync(CancellationToken cancellationToken) =>
        await _opened.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) && _opened.Reader.TryRead(out IMeshStream? next) ? next : null;

    /// <summary>Until another stream may be opened.</summary>
    public Task MayOpen(StreamPriority priority) => _mayOpen[(int)priority].Wait();

    /// <summary>Until a path was measured.</summary>
    public Task Measured() => _measured.Wait();

    /// <summary>Something happened that somebody may wait for.</summary>
    public void Tell(in ConnectionEvent happened)
    {
        switch (happened.Kind)
        {
            case ConnectionEventKind.StreamOpened:
                _opened.Writer.TryWrite(new MeshStream(calls, happened.Stream!));
                break;
            case ConnectionEventKind.StreamReadable:
                (happened.Stream!.Owner as MeshStream)?.Readable.Set();
                break;
            case ConnectionEventKind.StreamWritable:
                happened.Stream!.IsWritableRaised = false;
                (happened.Stream.Owner as MeshStream)?.Writable.Set();
                break;
            case ConnectionEventKind.StreamsAvailable:
                _mayOpen[(int)happened.Class].Set();
                break;
            case ConnectionEventKind.Measured:
                _measured.Set();
                break;
        }
    }

    /// <summary>Nothing comes any more.</summary>
    public void End(IEnumerable<ProtocolStream> streams, ConnectionEnd end)
    {
        _measured.Set();
        foreach (Signal mayOpen in _mayOpen)
        {
            mayOpen.Set();
        }

        foreach (ProtocolStream stream in streams)
        {
            (stream.Owner as MeshStream)?.Readable.Set();
            (stream.Owner as MeshStream)?.Writable.Set();
        }

        _opened.Writer.TryComplete();
        _closed.TrySetResult(end);
    }
}
