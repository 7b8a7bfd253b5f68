using System.Text.Json;
using AgentMesh.Errors;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Audit;

/// <param name="RetainedBytesMax">The oldest files go when there is more.</param>
/// <param name="SegmentBytes">So large one file gets.</param>
public sealed record AuditLogSettings(string Directory, long RetainedBytesMax, long SegmentBytes = 4 << 20);

/// <summary>
/// Who had what run on this device, when, and how it ended: lines of JSON, only ever appended to. A line is with the operating system when the call
/// returns, so it survives the end of this process, and on the disk a second later. Thread-safe.
/// </summary>
public sealed class AuditLog : IDisposable
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    private readonly AuditLogSettings _settings;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private FileStream _file;
    private long _number;
    private volatile bool _dirty;
    private bool _closed;

    private AuditLog(AuditLogSettings settings, TimeProvider time)
    {
        _settings = settings;
        _number = AuditSegments.Of(settings.Directory) is [.., { } last] ? last.Number : 1;
        _file = Open(_number);
        _timer = time.CreateTimer(_ => Flush(), null, FlushEvery, FlushEvery);
    }

    /// <exception cref="MeshException"><c>AM0430</c>: the files cannot be written.</exception>
    public static AuditLog Open(AuditLogSettings settings, TimeProvider time)
    {
        try
        {
            Directory.CreateDirectory(settings.Directory);
            return new AuditLog(settings, time);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failed(settings.Directory, error);
        }
    }

    /// <exception cref="MeshException"><c>AM0430</c>: nothing, or a part of a line that readers skip, was written.</exception>
    public void Append(AuditRecord record)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(Cut(record), AuditJson.Default.AuditRecord), (byte)'\n'];
        lock (_gate)
        {
            try
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                if (_file.Length > 0 && _file.Length + line.Length > _settings.SegmentBytes)
                {
                    Rotate();
                }

                _file.Write(line);
                _dirty = true;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                throw Failed(_settings.Directory, error);
            }
        }
    }

    /// <summary>Attempts from the newest to the oldest. Lines that cannot be read are skipped.</summary>
    /// <param name="since">Older ones are left out.</param>
    public IEnumerable<AuditEntry> Newest(DateTimeOffset since)
    {
        var ends = new Dictionary<(string Job, int Attempt), AuditRecord>();
        foreach (AuditRecord record in Records().TakeWhile(record => record.At >= since))
        {
            if (record.Event != AuditEvent.Taken)
            {
                ends[(record.Job, record.Attempt)] = record;
            }
            else
            {
                ends.Remove((record.Job, record.Attempt), out AuditRecord? end);
                yield return new AuditEntry(record, end);
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            if (!_closed)
            {
                _closed = true;
                _file.Dispose();
            }
        }
    }

    /// <summary>From the newest to the oldest.</summary>
    private IEnumerable<AuditRecord> Records()
    {
        foreach ((_, string path) in AuditSegments.Of(_settings.Directory).Reverse())
        {
            foreach (string line in LinesOf(path).Reverse())
            {
                if (TryRead(line) is { } record)
                {
                    yield return record;
                }
            }
        }
    }

    private static string[] LinesOf(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (FileNotFoundException)
        {
            // The oldest went while the newer ones were read.
            return [];
        }
    }

    private static AuditRecord? TryRead(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, AuditJson.Default.AuditRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static AuditRecord Cut(AuditRecord record) =>
        record.Command is { Length: > AuditRecord.CommandCharsMax } command ? record with { Command = command[..AuditRecord.CommandCharsMax] + "…" } : record;

    private void Rotate()
    {
        FileStream next = Open(_number + 1);
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        _file = next;
        _number++;
        IReadOnlyList<(long Number, string Path)> segments = AuditSegments.Of(_settings.Directory);
        long total = segments.Sum(segment => new FileInfo(segment.Path).Length);
        foreach ((_, string path) in segments.TakeWhile(segment => segment.Number < _number))
        {
            if (total <= _settings.RetainedBytesMax - _settings.SegmentBytes)
            {
                break;
            }

            total -= new FileInfo(path).Length;
            File.Delete(path);
        }
    }

    private FileStream Open(long number)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(AuditSegments.PathOf(_settings.Directory, number), options);
        file.Seek(-Math.Min(1, file.Length), SeekOrigin.End);
        if (file.Length > 0 && file.ReadByte() != '\n')
        {
            // What was being written when the machine stopped stands alone.
            file.WriteByte((byte)'\n');
        }

        return file;
    }

    // Not under the lock: whoever appends must not wait for the disk.
    private void Flush()
    {
        SafeFileHandle file;
        lock (_gate)
        {
            if (!_dirty || _closed)
            {
                return;
            }

            _dirty = false;
            file = _file.SafeFileHandle;
        }

        try
        {
            RandomAccess.FlushToDisk(file);
        }
        catch (ObjectDisposedException)
        {
            // Another file has begun meanwhile: this one was flushed then.
        }
        catch (IOException)
        {
            // Tried again at the next tick; the next append tells who asks.
            _dirty = true;
        }
    }

    private static MeshException Failed(string directory, Exception error) => new(
        JournalErrors.AuditFailed, $"the audit log in {directory} cannot be written: {error.Message}", "free some space or give the user of the node write access; commands are refused until then", error);
}
