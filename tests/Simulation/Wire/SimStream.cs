using AgentMesh.Transport;

namespace Simulation.Wire;

/// <summary>One end of a stream, with as many bytes under way as a window takes.</summary>
internal sealed class SimStream(SimConnection connection, ulong id, StreamPriority priority) : IMeshStream
{
    private const int WindowBytes = 256 * 1024;

    private readonly Queue<ReadOnlyMemory<byte>> _arrived = new();
    private TaskCompletionSource _changed = NewSignal();
    private long _unread;
    private ulong? _aborted;
    private bool _isFinishedThere;
    private bool _isFinishedHere;

    public ulong Id => id;

    public StreamPriority Priority => priority;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_arrived.TryPeek(out ReadOnlyMemory<byte> first))
            {
                int length = Math.Min(first.Length, buffer.Length);
                first[..length].CopyTo(buffer);
                _arrived.Dequeue();
                if (length < first.Length)
                {
                    PutBack(first[length..]);
                }

                connection.Send(other => other.Stream(id)?.Credit(length));
                return length;
            }

            ThrowIfAborted();
            if (_isFinishedThere)
            {
                return 0;
            }

            await _changed.Task.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ThrowIfAborted();
        while (_unread >= WindowBytes)
        {
            await _changed.Task.WaitAsync(cancellationToken);
            ThrowIfAborted();
        }

        byte[] copy = data.ToArray();
        _unread += copy.Length;
        connection.SendWritten(other => other.Stream(id)?.Take(copy));
    }

    public ValueTask CompleteWritesAsync()
    {
        if (!_isFinishedHere && _aborted is null)
        {
            _isFinishedHere = true;
            connection.Send(other => other.Stream(id)?.Finish());
        }

        return ValueTask.CompletedTask;
    }

    public void Abort(ulong code)
    {
        if (_aborted is null)
        {
            connection.Send(other => other.Stream(id)?.Break(code));
            Break(code);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (!_isFinishedThere || !_isFinishedHere)
        {
            Abort(0);
        }

        connection.Forget(this);
        return ValueTask.CompletedTask;
    }

    public void Break(ulong code)
    {
        _aborted ??= code;
        connection.Forget(this);
        Signal();
    }

    private void Take(byte[] bytes)
    {
        _arrived.Enqueue(bytes);
        Signal();
    }

    private void Finish()
    {
        _isFinishedThere = true;
        Signal();
    }

    private void Credit(int bytes)
    {
        _unread -= bytes;
        Signal();
    }

    private void PutBack(ReadOnlyMemory<byte> rest)
    {
        ReadOnlyMemory<byte>[] behind = [.. _arrived];
        _arrived.Clear();
        _arrived.Enqueue(rest);
        foreach (ReadOnlyMemory<byte> each in behind)
        {
            _arrived.Enqueue(each);
        }
    }

    private void ThrowIfAborted()
    {
        if (_aborted is { } code)
        {
            throw new StreamAbortedException(code, "reset");
        }
    }

    private void Signal()
    {
        TaskCompletionSource before = _changed;
        _changed = NewSignal();
        before.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
