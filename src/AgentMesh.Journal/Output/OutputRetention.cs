using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Output;

/// <summary>Keeps the store below its size: the output of jobs that ended longest ago goes first, that of running jobs never. Thread-safe.</summary>
internal sealed class OutputRetention(OutputCatalog catalog, OutputStoreSettings settings, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>When the bytes do not fit, removes until they do and a tenth is free.</summary>
    /// <exception cref="MeshException"><c>AM0421</c>: all there is belongs to jobs that still run.</exception>
    public void MakeRoom(int bytes)
    {
        if (catalog.TotalBytes + bytes > settings.BytesMax && !Reclaim(bytes))
        {
            throw new MeshException(
                JournalErrors.OutputFull,
                $"the output store {settings.Directory} has reached {settings.BytesMax} bytes and all of it belongs to jobs that still run",
                "delete finished jobs, or raise agentmesh.output.retained-max");
        }
    }

    public void Delete(JobLog log)
    {
        lock (log.Gate)
        {
            log.Close(new MeshException(JournalErrors.Closed, $"the output of {log.JobId} was deleted"));
            File.Delete(log.Path);
            catalog.Removed(log);
        }
    }

    private bool Reclaim(int bytes)
    {
        lock (_gate)
        {
            long goal = Math.Min(settings.BytesMax / 10 * 9, settings.BytesMax - bytes);
            foreach ((string path, DateTimeOffset lastWrite) in catalog.OldestFirst())
            {
                if (catalog.TotalBytes <= goal)
                {
                    break;
                }

                if (!catalog.IsPinned(path) && ReadJobId(path) is { } jobId)
                {
                    RemoveIfEnded(jobId, lastWrite);
                }
            }
        }

        return catalog.TotalBytes + bytes <= settings.BytesMax;
    }

    private void RemoveIfEnded(string jobId, DateTimeOffset lastWrite)
    {
        JobLog log = catalog.Pin(jobId);
        try
        {
            bool ended;
            lock (log.Gate)
            {
                log.Load();
                ended = log.IsFinished || lastWrite < time.GetUtcNow() - settings.AbandonedAfter;
            }

            if (ended)
            {
                Delete(log);
            }
        }
        catch (MeshException)
        {
            // A damaged file is kept for a person to look at.
        }
        finally
        {
            catalog.Release(log);
        }
    }

    private static string? ReadJobId(string path)
    {
        try
        {
            byte[] head = new byte[FileHeader.SizeMax];
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            int read = RandomAccess.Read(file, head, 0);
            int length = read < 8 ? 0 : head[6] | (head[7] << 8);
            return length is > 0 and <= FileHeader.JobIdBytesMax && read >= 12 + length ? Encoding.UTF8.GetString(head, 8, length) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
