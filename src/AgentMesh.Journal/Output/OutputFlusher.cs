using AgentMesh.Errors;

namespace AgentMesh.Journal.Output;

/// <summary>One thread that flushes whatever files were written since its last round: appends of many jobs share the disk's time.</summary>
internal sealed class OutputFlusher : IDisposable
{
    private readonly object _gate = new();
    private readonly Thread _thread;
    private readonly Action<JobLog, long> _flushed;
    private HashSet<JobLog> _dirty = [];
    private HashSet<JobLog> _spare = [];
    private TaskCompletionSource _round = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _unflushedBytes;
    private bool _closing;

    /// <param name="flushed">Called for each flushed file with the bytes that became durable, under the log's gate and before its waiters are told.</param>
    public OutputFlusher(Action<JobLog, long> flushed)
    {
        _flushed = flushed;
        _thread = new Thread(Run) { IsBackground = true, Name = "output flusher" };
        _thread.Start();
    }

    public void Add(JobLog log, long bytes)
    {
        lock (_gate)
        {
            _unflushedBytes += bytes;
            if (_dirty.Add(log) && _dirty.Count == 1)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Ends with the round in progress when too much is unflushed.</summary>
    public Task RoomFor(long bytesMax)
    {
        lock (_gate)
        {
            return _unflushedBytes < bytesMax ? Task.CompletedTask : _round.Task;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            HashSet<JobLog> logs;
            long bytes;
            lock (_gate)
            {
                while (_dirty.Count == 0 && !_closing)
                {
                    Monitor.Wait(_gate);
                }

                if (_dirty.Count == 0)
                {
                    return;
                }

                logs = _dirty;
                _dirty = _spare;
                _spare = logs;
                bytes = _unflushedBytes;
            }

            foreach (JobLog log in logs)
            {
                Flush(log);
            }

            logs.Clear();
            TaskCompletionSource round;
            lock (_gate)
            {
                _unflushedBytes -= bytes;
                round = _round;
                _round = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            round.TrySetResult();
        }
    }

    private void Flush(JobLog log)
    {
        lock (log.Gate)
        {
            log.BeginFlush();
        }

        try
        {
            log.FlushFile();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            lock (log.Gate)
            {
                log.Close(new MeshException(JournalErrors.StorageFailed, $"{log.Path}: the flush failed: {e.Message}", "check the disk and the system log", e));
            }

            return;
        }

        lock (log.Gate)
        {
            // Counted before anybody is told: who was told may delete the job at once, and what is gone must not be counted afterwards.
            if (log.FlushingBytes is > 0 and long bytes)
            {
                _flushed(log, bytes);
            }

            log.Publish();
        }
    }
}
