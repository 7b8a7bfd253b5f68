using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Workers.Spool;

/// <summary>
/// The output of one attempt on the executing device, until its home has it: one append-only file for each stream, addressed by byte offset.
/// One writer for each stream, one reader, any thread.
/// </summary>
/// <remarks>
/// A writer that is <c>bytesMax</c> ahead of what the home acknowledged waits, and with it the process that writes: the disk of the executing
/// device does not fill up because a home is away.
/// </remarks>
public sealed class AttemptSpool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly long _bytesMax;
    private readonly Dictionary<SpoolStream, Part> _parts = [];
    private readonly TaskCompletionSource _drained = NewSignal();
    private TaskCompletionSource _changed = NewSignal();
    private bool _isEnded;

    private AttemptSpool(string directory, long bytesMax)
    {
        Directory = directory;
        _bytesMax = bytesMax;
    }

    public string Directory { get; }

    /// <summary>Opens or creates it. What an earlier process of this node has written is there again, unacknowledged.</summary>
    public static AttemptSpool Open(string directory, long bytesMax)
    {
        System.IO.Directory.CreateDirectory(directory);
        var spool = new AttemptSpool(directory, bytesMax);
        foreach (SpoolStream stream in Enum.GetValues<SpoolStream>())
        {
            string name = Path.Combine(directory, stream == SpoolStream.Stdout ? "stdout" : "stderr");
            SafeFileHandle file = File.OpenHandle(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            spool._parts[stream] = new Part(file) { Length = RandomAccess.GetLength(file) };
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
        Part part = _parts[stream];
        while (!HasRoom(data.Length, out Task changed))
        {
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        await RandomAccess.WriteAsync(part.File, data, part.Length, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            part.Length += data.Length;
        }

        Signal();
    }

    /// <returns>0 where nothing is there at <paramref name="offset"/> yet.</returns>
    public ValueTask<int> ReadAsync(SpoolStream stream, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Part part = _parts[stream];
        long ready = Length(stream) - offset;
        return ready <= 0
            ? ValueTask.FromResult(0)
            : RandomAccess.ReadAsync(part.File, buffer[..(int)Math.Min(ready, buffer.Length)], offset, cancellationToken);
    }

    /// <summary>The home has everything before <paramref name="offset"/> on disk.</summary>
    public void Acknowledge(SpoolStream stream, long offset)
    {
        lock (_gate)
        {
            Part part = _parts[stream];
            part.Acknowledged = Math.Clamp(offset, part.Acknowledged, part.Length);
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
        foreach (Part part in _parts.Values)
        {
            part.File.Dispose();
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
            isDrained = _isEnded && _parts.Values.All(part => part.Acknowledged == part.Length);
        }

        completed.SetResult();
        if (isDrained)
        {
            _drained.TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Part(SafeFileHandle file)
    {
        public SafeFileHandle File { get; } = file;

        public long Length { get; set; }

        public long Acknowledged { get; set; }
    }
}
