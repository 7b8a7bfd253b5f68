using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Journal.Storage;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>
/// The output of one job, all attempts and streams, in one file. Everything here runs under <see cref="Gate"/>, except reading of flushed bytes and
/// the flush itself.
/// </summary>
internal sealed class JobLog(string jobId, string path, OutputStoreSettings settings)
{
    private readonly Dictionary<(int Attempt, OutputStreamKind Stream), StreamIndex> _streams = [];
    private readonly Dictionary<int, Dictionary<OutputStreamKind, long>> _finals = [];
    private readonly List<(long Position, TaskCompletionSource Done)> _waiting = [];
    private TaskCompletionSource _changed = New();
    private SafeFileHandle? _file;
    private bool _loaded;
    private long? _flushing;

    public Lock Gate { get; } = new();

    public string JobId => jobId;

    public string Path => path;

    public int CurrentAttempt { get; private set; }

    /// <summary>End of the file.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the file that are on disk.</summary>
    public long DurablePosition { get; private set; }

    public bool IsDirty => Position > DurablePosition;

    public bool IsFinished => CurrentAttempt > 0 && _finals.TryGetValue(CurrentAttempt, out Dictionary<OutputStreamKind, long>? finals)
        && finals.All(f => StateOf(CurrentAttempt, f.Key).IsComplete);

    /// <summary>Guarded by the store's lock: users that keep the object in memory.</summary>
    public int Pins { get; set; }

    public bool HasFile => _file is not null;

    /// <summary>Reads what the file holds, cuts a torn end; does nothing when that was done or there is no file.</summary>
    public void Load()
    {
        if (_loaded || !File.Exists(path))
        {
            _loaded = true;
            return;
        }

        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            long length = RandomAccess.GetLength(file);
            byte[] head = new byte[Math.Min(length, FileHeader.SizeMax)];
            _ = RandomAccess.Read(file, head, 0);
            int start = FileHeader.Verify(head, jobId);
            if (start == 0)
            {
                if (length > FileHeader.SizeMax)
                {
                    throw new MeshException(JournalErrors.OutputDamaged, $"the head of {path} is damaged", "restore the file from a backup, or delete the output of the job");
                }

                // The file was being created when the machine stopped; nothing in it was acknowledged.
                file.Dispose();
                File.Delete(path);
                _loaded = true;
                return;
            }

            Position = start;
            Position = LogRecovery.Scan(file, length, start, Visit, path);
            if (Position < length)
            {
                RandomAccess.SetLength(file, Position);
            }

            RandomAccess.FlushToDisk(file);
            _file = file;
            _loaded = true;
            BeginFlush();
            Publish();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public OutputState StateOf(int attempt, OutputStreamKind stream)
    {
        long durable = _streams.TryGetValue((attempt, stream), out StreamIndex? index) ? index.Durable : 0;
        long? final = _finals.TryGetValue(attempt, out Dictionary<OutputStreamKind, long>? finals) ? finals.GetValueOrDefault(stream) : null;
        return new OutputState(durable, final, CurrentAttempt);
    }

    public long WrittenOf(int attempt, OutputStreamKind stream) => _streams.TryGetValue((attempt, stream), out StreamIndex? index) ? index.Written : 0;

    public IReadOnlyDictionary<OutputStreamKind, long>? FinalsOf(int attempt) => _finals.GetValueOrDefault(attempt);

    /// <summary>Ends at the next publication of anything; take it before reading the state.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Writes one record that is no chunk; it is durable when <see cref="Flushed"/> says so.</summary>
    public void Write(RecordType type, int attempt, ReadOnlyMemory<byte> payload)
    {
        EnsureFile();
        RecordHeader header = HeaderOf(type, attempt, default, 0, payload.Span);
        byte[] head = new byte[RecordHeader.Size];
        header.Write(head);
        Append([head, payload]);
        Visit(header, Position, payload.ToArray());
        Position += RecordHeader.Size + payload.Length;
    }

    /// <summary>Writes bytes of a stream, as many records as they need with one call; they are durable when <see cref="Flushed"/> says so.</summary>
    public void WriteChunks(int attempt, OutputStreamKind stream, long offset, ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        EnsureFile();
        int count = (data.Length + RecordHeader.PayloadBytesWritten - 1) / RecordHeader.PayloadBytesWritten;
        if (Position + (count * (long)RecordHeader.Size) + data.Length > settings.JobBytesMax)
        {
            throw new MeshException(
                JournalErrors.OutputTooLarge, $"the output of {jobId} has reached {settings.JobBytesMax} bytes", "write large results to a file, or raise agentmesh.output.job-max");
        }

        var headers = new RecordHeader[count];
        byte[] heads = new byte[count * RecordHeader.Size];
        var parts = new ReadOnlyMemory<byte>[2 * count];
        for (int i = 0, at = 0; i < count; i++)
        {
            ReadOnlyMemory<byte> payload = data.Slice(at, Math.Min(data.Length - at, RecordHeader.PayloadBytesWritten));
            headers[i] = HeaderOf(RecordType.Chunk, attempt, stream, offset + at, payload.Span);
            Memory<byte> head = heads.AsMemory(i * RecordHeader.Size, RecordHeader.Size);
            headers[i].Write(head.Span);
            (parts[2 * i], parts[(2 * i) + 1]) = (head, payload);
            at += payload.Length;
        }

        Append(parts);
        foreach (RecordHeader header in headers)
        {
            Visit(header, Position, []);
            Position += RecordHeader.Size + header.PayloadLength;
        }
    }

    /// <summary>Ends when everything written until now is on disk.</summary>
    public Task Flushed()
    {
        if (!IsDirty)
        {
            return Task.CompletedTask;
        }

        if (_waiting.Count > 0 && _waiting[^1].Position == Position)
        {
            return _waiting[^1].Done.Task;
        }

        TaskCompletionSource done = New();
        _waiting.Add((Position, done));
        return done.Task;
    }

    /// <summary>Bytes of the file that <see cref="Publish"/> will make durable.</summary>
    public long FlushingBytes => (_flushing - DurablePosition) ?? 0;

    /// <summary>Marks what the next flush will cover.</summary>
    public void BeginFlush()
    {
        foreach (StreamIndex stream in _streams.Values)
        {
            stream.Flushing = stream.Written;
        }

        _flushing = Position;
    }

    /// <summary>Forces the file to the disk; called by the flusher without the gate.</summary>
    public void FlushFile()
    {
        if (_file is { } file)
        {
            RandomAccess.FlushToDisk(file);
        }
    }

    /// <summary>Makes visible what was marked by <see cref="BeginFlush"/>; nothing where the log was closed meanwhile.</summary>
    public void Publish()
    {
        if (_flushing is not { } position)
        {
            return;
        }

        _flushing = null;
        DurablePosition = position;
        foreach (StreamIndex stream in _streams.Values)
        {
            stream.Durable = stream.Flushing;
        }

        int done = 0;
        while (done < _waiting.Count && _waiting[done].Position <= position)
        {
            _waiting[done++].Done.TrySetResult();
        }

        _waiting.RemoveRange(0, done);
        Notify();
    }

    /// <summary>Forgets everything in memory; the next user reads the file again. Appends that were not flushed fail with the reason.</summary>
    public void Close(Exception reason)
    {
        foreach ((_, TaskCompletionSource done) in _waiting)
        {
            done.TrySetException(reason);
        }

        _waiting.Clear();
        _file?.Dispose();
        _file = null;
        _loaded = false;
        _flushing = null;
        _streams.Clear();
        _finals.Clear();
        CurrentAttempt = 0;
        Position = DurablePosition = 0;
        Notify();
    }

    /// <summary>What a reader needs to read flushed bytes without the gate.</summary>
    public (SafeFileHandle File, long Start, long End)? Locate(int attempt, OutputStreamKind stream, long offset) =>
        _file is { } file && _streams.TryGetValue((attempt, stream), out StreamIndex? index) && offset < index.Durable
            ? (file, index.PositionBefore(offset), DurablePosition)
            : null;

    private RecordHeader HeaderOf(RecordType type, int attempt, OutputStreamKind stream, long offset, ReadOnlySpan<byte> payload) =>
        new(type, stream, attempt, payload.Length, offset, DurablePosition, Crc32C.Of(payload));

    private void Visit(RecordHeader header, long position, byte[] payload)
    {
        CurrentAttempt = Math.Max(CurrentAttempt, header.Attempt);
        switch (header.Type)
        {
            case RecordType.Chunk:
                if (!_streams.TryGetValue((header.Attempt, header.Stream), out StreamIndex? index))
                {
                    _streams.Add((header.Attempt, header.Stream), index = new StreamIndex());
                }

                index.Add(position, header.PayloadLength);
                break;
            case RecordType.FinalLengths:
                _finals[header.Attempt] = LogRecovery.ReadFinalPayload(payload).ToDictionary(f => f.Stream, f => f.Length);
                break;
        }
    }

    private void EnsureFile()
    {
        if (_file is not null)
        {
            return;
        }

        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        byte[] head = FileHeader.Write(jobId);
        RandomAccess.Write(_file, head, 0);
        DirectorySync.Flush(System.IO.Path.GetDirectoryName(path)!);
        Position = head.Length;
    }

    private void Append(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        try
        {
            RandomAccess.Write(_file!, parts, Position);
        }
        catch (IOException e)
        {
            // What got through must not stand before the next record.
            RandomAccess.SetLength(_file!, Position);
            throw new MeshException(JournalErrors.OutputFull, $"{path} cannot grow: {e.Message}", "free some space; senders keep their output and go on by themselves", e);
        }
    }

    private void Notify()
    {
        TaskCompletionSource changed = _changed;
        _changed = New();
        changed.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
