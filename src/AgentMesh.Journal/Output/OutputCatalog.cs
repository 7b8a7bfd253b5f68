using System.Security.Cryptography;
using System.Text;
using AgentMesh.Files;

namespace AgentMesh.Journal.Output;

/// <summary>
/// Which files there are, how large, and which are open. A file is named by the SHA-256 of its job id, in 256 directories that are made at the start,
/// so that a new file costs one directory flush.
/// </summary>
internal sealed class OutputCatalog
{
    private const string Extension = ".out";
    private readonly OutputStoreSettings _settings;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, JobLog> _logs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Bytes, DateTimeOffset LastWrite)> _files = new(StringComparer.Ordinal);
    private long _use;
    private readonly Dictionary<JobLog, long> _lastUse = [];

    public OutputCatalog(OutputStoreSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        for (int i = 0; i < 256; i++)
        {
            Directory.CreateDirectory(Path.Combine(settings.Directory, i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
        }

        DirectorySync.Flush(settings.Directory);
        foreach (FileInfo file in new DirectoryInfo(settings.Directory).EnumerateFiles("*" + Extension, SearchOption.AllDirectories))
        {
            _files[file.FullName] = (file.Length, file.LastWriteTimeUtc);
            TotalBytes += file.Length;
        }
    }

    public long TotalBytes { get; private set; }

    /// <summary>The log of a job, kept in memory until it is released.</summary>
    public JobLog Pin(string jobId)
    {
        string path = PathOf(jobId);
        lock (_gate)
        {
            if (!_logs.TryGetValue(path, out JobLog? log))
            {
                _logs.Add(path, log = new JobLog(jobId, path, _settings));
            }

            log.Pins++;
            _lastUse[log] = ++_use;
            return log;
        }
    }

    public void Release(JobLog log)
    {
        List<JobLog> idle = [];
        lock (_gate)
        {
            log.Pins--;
            if (log.Pins == 0 && !log.HasFile)
            {
                Remove(log);
            }
            else if (_logs.Count > _settings.OpenFilesMax)
            {
                // A quarter at a time, so that the sort is paid rarely.
                idle.AddRange(_logs.Values.Where(l => l.Pins == 0 && !l.IsDirty).OrderBy(l => _lastUse[l]).Take((_settings.OpenFilesMax / 4) + 1));
                idle.ForEach(Remove);
            }
        }

        foreach (JobLog old in idle)
        {
            lock (old.Gate)
            {
                old.Close(new ObjectDisposedException(old.Path));
            }
        }
    }

    public void Grew(JobLog log, long bytes)
    {
        lock (_gate)
        {
            _files[log.Path] = (_files.GetValueOrDefault(log.Path).Bytes + bytes, _time.GetUtcNow());
            TotalBytes += bytes;
        }
    }

    public void Removed(JobLog log)
    {
        lock (_gate)
        {
            if (_files.Remove(log.Path, out (long Bytes, DateTimeOffset LastWrite) file))
            {
                TotalBytes -= file.Bytes;
            }
        }
    }

    /// <summary>Files from the one that was written to longest ago.</summary>
    public List<(string Path, DateTimeOffset LastWrite)> OldestFirst()
    {
        lock (_gate)
        {
            return [.. _files.OrderBy(f => f.Value.LastWrite).Select(f => (f.Key, f.Value.LastWrite))];
        }
    }

    public List<JobLog> All()
    {
        lock (_gate)
        {
            return [.. _logs.Values];
        }
    }

    public bool IsPinned(string path)
    {
        lock (_gate)
        {
            return _logs.TryGetValue(path, out JobLog? log) && (log.Pins > 0 || log.IsDirty);
        }
    }

    private void Remove(JobLog log)
    {
        _logs.Remove(log.Path);
        _lastUse.Remove(log);
    }

    private string PathOf(string jobId)
    {
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(jobId)).AsSpan(0, 20));
        return Path.GetFullPath(Path.Combine(_settings.Directory, name[..2], name + Extension));
    }
}
