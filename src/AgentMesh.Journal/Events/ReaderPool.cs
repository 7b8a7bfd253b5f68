using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Journal.Sqlite;
using Microsoft.Data.Sqlite;

namespace AgentMesh.Journal.Events;

/// <summary>A bounded set of reading connections, so that a storm of recoveries cannot stop the writer or open files without end.</summary>
internal sealed class ReaderPool(string path, int size) : IDisposable
{
    private readonly SemaphoreSlim _free = new(size, size);
    private readonly ConcurrentBag<JournalReader> _idle = [];
    private volatile bool _closed;

    public async Task<T> ReadAsync<T>(Func<JournalReader, T> read, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Read(read), cancellation).ConfigureAwait(false);
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        _closed = true;
        for (int i = 0; i < size; i++)
        {
            _free.Wait();
        }

        while (_idle.TryTake(out JournalReader? reader))
        {
            reader.Dispose();
        }

        _free.Release(size);
    }

    private T Read<T>(Func<JournalReader, T> read)
    {
        if (_closed)
        {
            throw new MeshException(JournalErrors.Closed, $"{path} is closed");
        }

        JournalReader? reader = null;
        try
        {
            if (!_idle.TryTake(out reader))
            {
                reader = new JournalReader(path);
            }

            T result = read(reader);
            _idle.Add(reader);
            reader = null;
            return result;
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.ToMeshException(e, path);
        }
        finally
        {
            // A reader that failed is not trusted with the next call.
            reader?.Dispose();
        }
    }
}
