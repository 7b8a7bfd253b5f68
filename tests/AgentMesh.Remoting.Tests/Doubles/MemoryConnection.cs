using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Remoting.Tests.Doubles;

internal sealed class MemoryConnection : IMeshConnection
{
    private readonly Channel<IMeshStream> _accepted = Channel.CreateUnbounded<IMeshStream>();
    private readonly TaskCompletionSource<ConnectionEnd> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<MemoryStreamEnd> _streams = [];
    private MemoryConnection _other = null!;
    private ulong _nextId;

    private MemoryConnection(DevicePublicKey remote, bool initiator)
    {
        RemoteKey = remote;
        IsInitiator = initiator;
    }

    public DevicePublicKey RemoteKey { get; }

    public DeviceId RemoteId => RemoteKey.Id;

    public bool IsInitiator { get; }

    public MeshPathInfo Path => new("memory", new IPEndPoint(IPAddress.Loopback, 14590), TimeSpan.FromMicroseconds(20), 0, 1200);

    public Task<ConnectionEnd> Closed => _closed.Task;

    public static (MemoryConnection Initiator, MemoryConnection Responder) Pair(DevicePublicKey initiator, DevicePublicKey responder)
    {
        MemoryConnection a = new(responder, true), b = new(initiator, false);
        a._other = b;
        b._other = a;
        return (a, b);
    }

    public ValueTask<IMeshStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken)
    {
        Pipe there = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024));
        Pipe back = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024));
        ulong id = Interlocked.Increment(ref _nextId);
        MemoryStreamEnd mine = new(id, priority, back.Reader, there.Writer), theirs = new(id, priority, there.Reader, back.Writer);
        mine.Other = theirs;
        theirs.Other = mine;
        lock (_streams)
        {
            if (_closed.Task.IsCompleted)
                throw new StreamAbortedException(99, "the connection is closed");
            _streams.Add(mine);
        }

        _other._accepted.Writer.TryWrite(theirs);
        return ValueTask.FromResult<IMeshStream>(mine);
    }

    public async ValueTask<IMeshStream?> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public ValueTask CloseAsync(ulong code, string reason)
    {
        End(code, reason);
        return ValueTask.CompletedTask;
    }

    public void End(ulong code, string reason)
    {
        EndHere(new ConnectionEnd(false, code, reason));
        _other.EndHere(new ConnectionEnd(true, code, reason));
    }

    private void EndHere(ConnectionEnd end)
    {
        MemoryStreamEnd[] open;
        lock (_streams)
        {
            if (!_closed.TrySetResult(end))
                return;
            open = [.. _streams];
        }

        _accepted.Writer.TryComplete();
        foreach (MemoryStreamEnd stream in open)
            stream.Abort(99);
    }
}
