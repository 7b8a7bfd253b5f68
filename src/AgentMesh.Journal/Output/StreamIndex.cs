namespace AgentMesh.Journal.Output;

/// <summary>One stream of one attempt in memory: its lengths, and where in the file to begin to look for an offset.</summary>
internal sealed class StreamIndex
{
    // A reader walks the records from the nearest entry; one entry for so many file bytes keeps the index of a 4 GiB file at 1 MiB.
    private const long FileBytesPerEntry = 64 * 1024;

    private readonly List<(long Offset, long Position)> _entries = [];

    /// <summary>Bytes written to the file.</summary>
    public long Written { get; private set; }

    /// <summary>Bytes that the flush in progress covers.</summary>
    public long Flushing { get; set; }

    /// <summary>Bytes flushed to the disk; what readers see.</summary>
    public long Durable { get; set; }

    public void Add(long position, int length)
    {
        if (_entries.Count == 0 || position - _entries[^1].Position >= FileBytesPerEntry)
        {
            _entries.Add((Written, position));
        }

        Written += length;
    }

    /// <summary>Position of a record of this stream at or before the offset.</summary>
    public long PositionBefore(long offset)
    {
        int low = 0;
        int high = _entries.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_entries[middle].Offset <= offset)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return _entries[low].Position;
    }
}
