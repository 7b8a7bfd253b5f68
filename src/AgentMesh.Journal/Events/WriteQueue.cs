using AgentMesh.Errors;

namespace AgentMesh.Journal.Events;

/// <summary>
/// What one writer has before it: the writes that wait, and the batch that is being written. A write ends with its batch or at its deadline, whichever
/// is first; one whose deadline passes while it waits is never tried.
/// </summary>
/// <remarks>Any number of callers, one writer, which takes a batch and ends it before it takes the next.</remarks>
internal sealed class WriteQueue<TWrite> : IDisposable
    where TWrite : QueuedWrite
{
    private readonly WriteQueueSettings _settings;
    private readonly TimeProvider _time;
    private readonly ITimer _deadlines;
    private readonly Lock _gate = new();
    private readonly Queue<TWrite> _waiting = new();
    private readonly List<TWrite> _batch = [];
    private readonly SemaphoreSlim _work = new(0);
    private TaskCompletionSource _batchEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _waitingBytes;
    private int _waitingLive;
    private bool _isClosing;

    public WriteQueue(WriteQueueSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        TimeSpan period = TimeSpan.FromMilliseconds(Math.Clamp(settings.Timeout.TotalMilliseconds / 16, 10, 1000));
        _deadlines = time.CreateTimer(_ => AbandonLate(), null, period, period);
    }

    /// <summary>Takes the write, or fails it at once.</summary>
    public void Add(TWrite write)
    {
        write.Deadline = _time.GetTimestamp() + (long)(_settings.Timeout.TotalSeconds * _time.TimestampFrequency);
        lock (_gate)
        {
            if (_isClosing)
            {
                write.Fail(new MeshException(JournalErrors.Closed, $"{_settings.ClosedBecause}; nothing was stored"));
            }
            else if (_waitingLive >= _settings.WritesMax || (_waitingBytes + write.Bytes > _settings.BytesMax && _waitingLive > 0))
            {
                write.Fail(new MeshException(JournalErrors.Overloaded, $"{_waitingLive} writes ({_waitingBytes} bytes) wait for {_settings.Place}; nothing was stored", _settings.WhenFull));
            }
            else
            {
                _waiting.Enqueue(write);
                _waitingLive++;
                _waitingBytes += write.Bytes;
                if (_work.CurrentCount == 0)
                {
                    _work.Release();
                }
            }
        }
    }

    /// <summary>
    /// Ends when it is decided what becomes of the writes of this scope that were queued before, those included that their callers have given up: a recovery must see them, or never.
    /// </summary>
    public async Task SettledAsync(string scope)
    {
        while (TryFindUndecided(scope, out Task decided))
        {
            await decided.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The next batch; null when the queue is closed and empty. Waits for one.</summary>
    public List<TWrite>? TakeBatch()
    {
        while (!TryTakeBatch(out bool isOver))
        {
            if (isOver)
            {
                return null;
            }

            _work.Wait();
        }

        return _batch;
    }

    /// <inheritdoc cref="TakeBatch"/>
    public async Task<List<TWrite>?> TakeBatchAsync()
    {
        while (!TryTakeBatch(out bool isOver))
        {
            if (isOver)
            {
                return null;
            }

            await _work.WaitAsync().ConfigureAwait(false);
        }

        return _batch;
    }

    /// <summary>All writes of the batch are decided, those that were given up included.</summary>
    public void EndBatch()
    {
        TaskCompletionSource end;
        lock (_gate)
        {
            _batch.Clear();
            end = _batchEnd;
        }

        end.TrySetResult();
    }

    /// <summary>Takes no more; what waits is still written.</summary>
    /// <returns>False when it was closing already.</returns>
    public bool Close()
    {
        lock (_gate)
        {
            if (_isClosing)
            {
                return false;
            }

            _isClosing = true;
            _work.Release();
            return true;
        }
    }

    /// <summary>After the writer has ended.</summary>
    public void Dispose()
    {
        _deadlines.Dispose();
        _work.Dispose();
    }

    private bool TryTakeBatch(out bool isOver)
    {
        lock (_gate)
        {
            long bytes = 0;
            while (_batch.Count < _settings.BatchWritesMax && bytes < _settings.BatchBytesMax && _waiting.TryDequeue(out TWrite? write))
            {
                if (!write.IsAbandoned)
                {
                    _waitingLive--;
                    _waitingBytes -= write.Bytes;
                    bytes += write.Bytes;
                    _batch.Add(write);
                }
            }

            isOver = _batch.Count == 0 && _isClosing;
            if (_batch.Count == 0)
            {
                return false;
            }

            _batchEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    private bool TryFindUndecided(string scope, out Task decided)
    {
        lock (_gate)
        {
            foreach (TWrite write in _batch)
            {
                if (write.Scope == scope)
                {
                    decided = _batchEnd.Task;
                    return true;
                }
            }

            // One that was given up in the queue is never tried.
            foreach (TWrite write in _waiting)
            {
                if (write.Scope == scope && !write.IsAbandoned)
                {
                    decided = write.Ended;
                    return true;
                }
            }

            decided = Task.CompletedTask;
            return false;
        }
    }

    private void AbandonLate()
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            // Deadlines are in the order of the queue.
            foreach (TWrite write in _waiting)
            {
                if (write.Deadline > now)
                {
                    break;
                }

                if (!write.IsAbandoned)
                {
                    Abandon(write, "nothing was stored");
                    _waitingLive--;
                    _waitingBytes -= write.Bytes;
                }
            }

            foreach (TWrite write in _batch)
            {
                if (write.Deadline <= now && !write.IsAbandoned)
                {
                    Abandon(write, "it may still be stored");
                }
            }
        }
    }

    private void Abandon(TWrite write, string outcome)
    {
        write.IsAbandoned = true;
        write.Fail(new MeshException(
            JournalErrors.Timeout, $"a write for {write.Scope} to {_settings.Place} did not finish in {_settings.Timeout.TotalSeconds:0.#} s; {outcome}", _settings.WhenLate));
    }
}
