using System.Text;
using AgentMesh.Errors;
using AgentMesh.Journal.Output;
using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal;

/// <summary>
/// What jobs wrote, by job, attempt, stream and byte offset. Acknowledged means flushed to the disk; readers see exactly what is acknowledged, so no
/// reader ever sees a byte that a power cut can take back.
/// </summary>
/// <remarks>Thread-safe. One process at a time per directory. Payloads are not kept after a call returns.</remarks>
public sealed class OutputStore : IOutputStore, IDisposable
{
    private readonly OutputStoreSettings _settings;
    private readonly FileLock _lock;
    private readonly OutputCatalog _catalog;
    private readonly OutputFlusher _flusher;
    private readonly OutputRetention _retention;
    private volatile bool _disposed;

    private OutputStore(OutputStoreSettings settings, TimeProvider time, FileLock fileLock)
    {
        _settings = settings;
        _lock = fileLock;
        _catalog = new OutputCatalog(settings, time);
        _flusher = new OutputFlusher(_catalog.Grew);
        _retention = new OutputRetention(_catalog, settings, time);
    }

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes => _catalog.TotalBytes;

    /// <exception cref="MeshException"><c>AM0401</c> in use by another process, <c>AM0407</c> not writable.</exception>
    public static OutputStore Open(OutputStoreSettings settings, TimeProvider time)
    {
        FileLock? fileLock = null;
        try
        {
            Directory.CreateDirectory(settings.Directory);
            fileLock = FileLock.Acquire(Path.Combine(settings.Directory, "store.lock"), $"the output store {settings.Directory}");
            return new OutputStore(settings, time, fileLock);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            fileLock?.Dispose();
            throw new MeshException(
                JournalErrors.ReadOnly, $"the output store {settings.Directory} cannot be opened: {e.Message}", "give the user that runs the node write access to the data directory", e);
        }
    }

    /// <summary>
    /// Stores bytes at an offset. What is stored already is ignored (a repeat is harmless), a gap is refused, an older attempt is refused once a newer one
    /// has started; an attempt starts with its first append. Ends when the bytes are on disk.
    /// </summary>
    /// <exception cref="MeshException"><c>AM0406</c> the flush failed, <c>AM0420</c> damaged, <c>AM0421</c> full, <c>AM0422</c> the job has too much output.</exception>
    public async Task<OutputAppendResult> AppendAsync(OutputAddress address, long offset, ReadOnlyMemory<byte> data)
    {
        Validate(address.JobId, address.Attempt);
        Invariant.Check(offset >= 0);
        await WaitForRoom(data.Length).ConfigureAwait(false);
        return await With(address.JobId, async log =>
        {
            Task flushed;
            long before;
            long end;
            lock (log.Gate)
            {
                log.Load();
                long written = log.WrittenOf(address.Attempt, address.Stream);
                OutputState state = log.StateOf(address.Attempt, address.Stream);
                if (address.Attempt < log.CurrentAttempt)
                {
                    return new OutputAppendResult(OutputAppendStatus.OlderAttempt, state.Length);
                }

                if (offset > written)
                {
                    return new OutputAppendResult(OutputAppendStatus.Gap, written);
                }

                end = Math.Max(written, offset + data.Length);
                if (end > state.FinalLength)
                {
                    return new OutputAppendResult(OutputAppendStatus.BeyondFinalLength, state.Length);
                }

                before = log.Position;
                try
                {
                    log.WriteChunks(address.Attempt, address.Stream, written, end == written ? default : data[(int)(written - offset)..]);
                }
                finally
                {
                    AddDirty(log, before);
                }

                flushed = log.Flushed();
            }

            await flushed.ConfigureAwait(false);
            return new OutputAppendResult(OutputAppendStatus.Acknowledged, end);
        }).ConfigureAwait(false);
    }

    /// <summary>Starts an attempt before its first output, so that older ones are refused from now on. Repeating it is harmless.</summary>
    public Task<OutputAppendStatus> StartAttemptAsync(string jobId, int attempt)
    {
        Validate(jobId, attempt);
        return With(jobId, async log =>
        {
            Task flushed;
            lock (log.Gate)
            {
                log.Load();
                if (attempt < log.CurrentAttempt)
                {
                    return OutputAppendStatus.OlderAttempt;
                }

                long before = log.Position;
                if (attempt > log.CurrentAttempt)
                {
                    log.Write(RecordType.AttemptStarted, attempt, default);
                }

                flushed = log.Flushed();
                AddDirty(log, before);
            }

            await flushed.ConfigureAwait(false);
            return OutputAppendStatus.Acknowledged;
        });
    }

    /// <summary>
    /// Records how much an ended attempt wrote to each stream; streams that are not named are empty. Readers are done when the store has reached these
    /// lengths. Repeating it with the same lengths is harmless; lengths below what is stored, or others than before, are refused.
    /// </summary>
    public async Task<OutputAppendStatus> SetFinalLengthsAsync(string jobId, int attempt, IReadOnlyDictionary<OutputStreamKind, long> lengths)
    {
        Validate(jobId, attempt);
        return await With(jobId, async log =>
        {
            Task flushed;
            lock (log.Gate)
            {
                log.Load();
                flushed = log.Flushed();
            }

            // The record proves that what stands before its durable position was acknowledged: let that be everything.
            await flushed.ConfigureAwait(false);
            lock (log.Gate)
            {
                log.Load();
                if (attempt < log.CurrentAttempt)
                {
                    return OutputAppendStatus.OlderAttempt;
                }

                IReadOnlyDictionary<OutputStreamKind, long>? known = log.FinalsOf(attempt);
                bool fits = Enum.GetValues<OutputStreamKind>().All(s =>
                    lengths.GetValueOrDefault(s) >= log.WrittenOf(attempt, s) && (known is null || known.GetValueOrDefault(s) == lengths.GetValueOrDefault(s)));
                if (!fits)
                {
                    return OutputAppendStatus.BeyondFinalLength;
                }

                long before = log.Position;
                if (known is null)
                {
                    log.Write(RecordType.FinalLengths, attempt, LogRecovery.FinalPayload(lengths));
                }

                flushed = log.Flushed();
                AddDirty(log, before);
            }

            await flushed.ConfigureAwait(false);
            return OutputAppendStatus.Acknowledged;
        }).ConfigureAwait(false);
    }

    /// <summary>Reads acknowledged bytes from an offset; fewer than asked for at the end, none beyond it.</summary>
    /// <exception cref="MeshException"><c>AM0420</c> when what is stored there is damaged.</exception>
    public OutputSlice Read(OutputAddress address, long offset, int bytesMax)
    {
        Validate(address.JobId, address.Attempt);
        Invariant.Check(offset >= 0 && bytesMax >= 0);
        JobLog log = PinOpen(address.JobId);
        try
        {
            OutputState state;
            (Microsoft.Win32.SafeHandles.SafeFileHandle File, long Start, long End)? place;
            lock (log.Gate)
            {
                log.Load();
                state = log.StateOf(address.Attempt, address.Stream);
                place = log.Locate(address.Attempt, address.Stream, offset);
            }

            int count = (int)Math.Min(bytesMax, Math.Max(0, state.Length - offset));
            return place is { } found && count > 0
                ? new OutputSlice(offset, OutputReader.Read(found.File, found.Start, found.End, address, offset, count, log.Path), state)
                : new OutputSlice(offset, ReadOnlyMemory<byte>.Empty, state);
        }
        catch (ObjectDisposedException)
        {
            // Deleted while it was read.
            return new OutputSlice(offset, ReadOnlyMemory<byte>.Empty, default);
        }
        finally
        {
            _catalog.Release(log);
        }
    }

    public ValueTask<OutputSlice> ReadAsync(OutputAddress address, long offset, int bytesMax, CancellationToken cancellation = default)
    {
        try
        {
            return ValueTask.FromResult(Read(address, offset, bytesMax));
        }
        catch (MeshException error)
        {
            return ValueTask.FromException<OutputSlice>(error);
        }
    }

    public ValueTask DeleteAsync(string jobId)
    {
        Delete(jobId);
        return ValueTask.CompletedTask;
    }

    /// <summary>Lengths as of now.</summary>
    public OutputState GetState(OutputAddress address) => Read(address, 0, 0).State;

    /// <summary>
    /// Ends when the stream is longer than <paramref name="length"/>, or is complete, or a newer attempt has started: when there is something for a
    /// reader to do. No polling.
    /// </summary>
    public Task<OutputState> WaitForLengthAsync(OutputAddress address, long length, CancellationToken cancellation)
    {
        Validate(address.JobId, address.Attempt);
        return With(address.JobId, async log =>
        {
            while (true)
            {
                Task changed;
                lock (log.Gate)
                {
                    log.Load();
                    changed = log.Changed;
                    OutputState state = log.StateOf(address.Attempt, address.Stream);
                    if (state.Length > length || state.IsComplete || state.CurrentAttempt > address.Attempt)
                    {
                        return state;
                    }
                }

                await changed.WaitAsync(cancellation).ConfigureAwait(false);
                ThrowIfDisposed();
            }
        });
    }

    /// <summary>Removes the output of a job; a reader in the middle of it sees an empty stream.</summary>
    public void Delete(string jobId)
    {
        Validate(jobId, 1);
        JobLog log = PinOpen(jobId);
        try
        {
            _retention.Delete(log);
        }
        finally
        {
            _catalog.Release(log);
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _flusher.Dispose();
        foreach (JobLog log in _catalog.All())
        {
            lock (log.Gate)
            {
                log.Close(Closed());
            }
        }

        _lock.Dispose();
    }

    private async Task<T> With<T>(string jobId, Func<JobLog, Task<T>> action)
    {
        JobLog log = PinOpen(jobId);
        try
        {
            return await action(log).ConfigureAwait(false);
        }
        finally
        {
            _catalog.Release(log);
        }
    }

    private JobLog PinOpen(string jobId)
    {
        ThrowIfDisposed();
        return _catalog.Pin(jobId);
    }

    private void AddDirty(JobLog log, long before)
    {
        if (log.IsDirty)
        {
            _flusher.Add(log, log.Position - before);
        }
    }

    private async Task WaitForRoom(int bytes)
    {
        while (_flusher.RoomFor(_settings.UnflushedBytesMax) is { IsCompleted: false } round)
        {
            await round.ConfigureAwait(false);
            ThrowIfDisposed();
        }

        _retention.MakeRoom(bytes);
    }

    private void ThrowIfDisposed()
    {
        if (_disposed)
        {
            throw Closed();
        }
    }

    private MeshException Closed() => new(JournalErrors.Closed, $"the output store {_settings.Directory} is closed");

    private static void Validate(string jobId, int attempt) =>
        Invariant.Check(attempt > 0 && jobId.Length > 0 && Encoding.UTF8.GetByteCount(jobId) <= FileHeader.JobIdBytesMax);
}
