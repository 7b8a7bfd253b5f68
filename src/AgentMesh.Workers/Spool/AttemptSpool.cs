using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Spool;

/// <summary>
/// The output of one attempt on the executing device, until its home has it: files of 1 MiB for each stream, addressed by byte offset; those that the
/// home has whole are removed. One writer for each stream (this process, or a shim that tells the lengths), one reader, any thread.
/// </summary>
/// <remarks>
/// A writer that is <c>bytesMax</c> ahead of what the home acknowledged waits, and with it the process that writes: the disk of the executing
/// device does not fill up because a home is away.
/// </remarks>
public sealed class AttemptSpool : IDisposable
{
    private static readonly SpoolStream[] Streams = [SpoolStream.Stdout, SpoolStream.Stderr];

    private readonly Lock _gate = new();
    private readonly long _bytesMax;
    private readonly Dictionary<SpoolStream, SpoolPart> _parts = [];
    private readonly TaskCompletionSource _drained = NewSignal();
    private TaskCompletionSource _changed = NewSignal();
    private bool _isEnded;

    private AttemptSpool(string directory, long bytesMax)
    {
        Directory = directory;
        _bytesMax = bytesMax;
    }

    public string Directory { get; }

    /// <summary>Is shown all that is read, with stream and offset; null for nobody.</summary>
    internal PassingOutput? Passing { get; set; }

    /// <summary>Of output that the home does not have yet.</summary>
    public long BytesMax => _bytesMax;

    /// <summary>Opens or creates it. What is there already counts as written; as acknowledged, what was removed.</summary>
    public static AttemptSpool Open(string directory, long bytesMax)
    {
        System.IO.Directory.CreateDirectory(directory);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var spool = new AttemptSpool(directory, bytesMax);
        foreach (SpoolStream stream in Streams)
        {
            spool._parts[stream] = SpoolPart.Open(directory, stream == SpoolStream.Stdout ? ShimFiles.Stdout : ShimFiles.Stderr);
        }

        return spool;
    }

    public long Length(SpoolStream stream)
    {
        lock (_gate)
        {
            return _parts[stream].Length;
        }
    }

    public long Acknowledged(SpoolStream stream)
    {
        lock (_gate)
        {
            return _parts[stream].Acknowledged;
        }
    }

    /// <summary>True after <see cref="End"/>: the lengths are final.</summary>
    public bool IsEnded
    {
        get
        {
            lock (_gate)
            {
                return _isEnded;
            }
        }
    }

    /// <summary>Appends, waiting while the spool is full.</summary>
    public async ValueTask AppendAsync(SpoolStream stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        SpoolPart part = _parts[stream];
        while (!HasRoom(data.Length, out Task changed))
        {
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        await part.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        Advance(stream, part.Length + data.Length);
    }

    /// <summary>Another process has written so far.</summary>
    public void Advance(SpoolStream stream, long length)
    {
        lock (_gate)
        {
            _parts[stream].Advance(length);
        }

        Signal();
    }

    /// <summary>Takes for written what is there: the other process has ended without telling it.</summary>
    public void Rescan()
    {
        lock (_gate)
        {
            foreach (SpoolPart part in _parts.Values)
            {
                part.Advance(part.BytesOnDisk());
            }
        }

        Signal();
    }

    /// <returns>0 where nothing is there at <paramref name="offset"/> yet. Fewer bytes than there are, at the end of a file.</returns>
    public async ValueTask<int> ReadAsync(SpoolStream stream, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        SpoolPart part = _parts[stream];
        long ready = Length(stream) - offset;
        int read = ready <= 0 ? 0 : await part.ReadAsync(offset, buffer[..(int)Math.Min(ready, buffer.Length)], cancellationToken).ConfigureAwait(false);
        Passing?.Invoke(stream, offset, buffer.Span[..read]);
        return read;
    }

    /// <summary>The home has everything before <paramref name="offset"/> on disk.</summary>
    public void Acknowledge(SpoolStream stream, long offset)
    {
        lock (_gate)
        {
            SpoolPart part = _parts[stream];
            long acknowledged = Math.Clamp(offset, part.Acknowledged, Math.Max(part.Acknowledged, part.Length));
            if (acknowledged == part.Acknowledged)
            {
                // No change: who acknowledges whatever comes waits for one.
                return;
            }

            part.Acknowledged = acknowledged;
            part.RemoveAcknowledged();
        }

        Signal();
    }

    /// <summary>Nothing more will be written.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
        }

        Signal();
    }

    /// <summary>Completes when nothing more will be written and the home has all of it.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Completes at the next append, acknowledgement or end. Take it before looking, so that no change is missed.</summary>
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

    public void Dispose()
    {
        foreach (SpoolPart part in _parts.Values)
        {
            part.Dispose();
        }
    }

    private bool HasRoom(int more, out Task changed)
    {
        lock (_gate)
        {
            changed = _changed.Task;
            long waiting = _parts.Values.Sum(part => part.Length - part.Acknowledged);

            // A piece larger than the bound is taken when nothing else waits, else it would wait for ever.
            return waiting == 0 || waiting + more <= _bytesMax;
        }
    }

    private void Signal()
    {
        TaskCompletionSource completed;
        bool isDrained;
        lock (_gate)
        {
            completed = _changed;
            _changed = NewSignal();
            isDrained = _isEnded && _parts.Values.All(part => part.Acknowledged >= part.Length);
        }

        completed.SetResult();
        if (isDrained)
        {
            _drained.TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Output that goes by.</summary>
internal delegate void PassingOutput(SpoolStream stream, long offset, ReadOnlySpan<byte> piece);
