namespace AgentMesh.Node.Input;

/// <summary>What a person or a file sends through the control API; whoever writes more than is taken waits.</summary>
internal sealed class TypedInput : IInputSource
{
    /// <summary>Kept until the executing device has it, for the case that the connection is lost.</summary>
    public const int BytesMax = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[BytesMax];
    private readonly TaskCompletionSource _closed = NewSignal();
    private readonly TaskCompletionSource _left = NewSignal();
    private volatile bool _isLeaving;
    private TaskCompletionSource _changed = NewSignal();
    private long? _begun;
    private long _acknowledged;
    private long _written;

    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Completes when the program takes no more.</summary>
    public Task Closed => _closed.Task;

    public bool IsEnded { get; private set; }

    public bool IsLeaving => _isLeaving;

    public long Length
    {
        get
        {
            lock (_gate)
            {
                return (_begun ?? 0) + _written;
            }
        }
    }

    public (int Columns, int Rows)? Size { get; private set; }

    /// <summary>Completes when all of it is kept here.</summary>
    /// <returns>False when the program takes no more.</returns>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            Task changed;
            int room;
            lock (_gate)
            {
                changed = _changed.Task;
                room = (int)Math.Min(BytesMax - (_written - _acknowledged), data.Length);
                for (int put = 0; put < room;)
                {
                    int at = (int)((_written + put) % BytesMax), count = Math.Min(room - put, BytesMax - at);
                    data.Span.Slice(put, count).CopyTo(_ring.AsSpan(at));
                    put += count;
                }

                _written += room;
                data = data[room..];
            }

            if (room > 0)
            {
                // Also wakes this loop, which then finds no room and waits.
                Signal();
            }

            if (_closed.Task.IsCompleted)
            {
                return false;
            }

            if (!data.IsEmpty)
            {
                await Task.WhenAny(changed, _closed.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return true;
    }

    public void End()
    {
        IsEnded = true;
        Signal();
    }

    /// <summary>Completes when the program waits for another sender.</summary>
    public Task LeaveAsync()
    {
        _isLeaving = true;
        Signal();
        return _left.Task;
    }

    public void Left() => _left.TrySetResult();

    public void Resize(int columns, int rows)
    {
        Size = (columns, rows);
        Signal();
    }

    public void Begin(long offset)
    {
        lock (_gate)
        {
            // What an earlier sender has sent counts; here it begins with what is written here.
            _begun ??= offset;
            _acknowledged = Math.Clamp(offset - _begun.Value, _acknowledged, _written);
        }

        Signal();
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            long from = offset - _begun!.Value;
            int at = (int)(from % BytesMax);
            int count = (int)Math.Min(Math.Min(buffer.Length, _written - from), BytesMax - at);
            _ring.AsSpan(at, count).CopyTo(buffer.Span);
            return ValueTask.FromResult(count);
        }
    }

    public void Acknowledge(long offset) => Begin(offset);

    public void Close()
    {
        _closed.TrySetResult();
        Signal();
    }

    private void Signal()
    {
        TaskCompletionSource completed;
        lock (_gate)
        {
            completed = _changed;
            _changed = NewSignal();
        }

        completed.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
