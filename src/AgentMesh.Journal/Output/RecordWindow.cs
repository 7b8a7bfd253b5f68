using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>Reads a file forward through one buffer, so that small records do not cost a system call each.</summary>
internal sealed class RecordWindow(SafeFileHandle file, long end, int readAhead) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(RecordHeader.Size + RecordHeader.PayloadBytesMax);
    private long _start;
    private int _count;

    /// <summary>How much is read at once, at least; less where records are long, which are read without this window.</summary>
    public int ReadAhead { get; set; } = readAhead;

    /// <summary>The bytes at the position, <paramref name="wanted"/> of them unless the file ends before. Valid until the next call.</summary>
    public ReadOnlySpan<byte> At(long position, int wanted)
    {
        if (position < _start || position + wanted > _start + _count)
        {
            int room = (int)Math.Min(Math.Min(_buffer.Length, Math.Max(wanted, ReadAhead)), Math.Max(0, end - position));
            _start = position;
            _count = Fill(_buffer.AsSpan(0, room), position);
        }

        int at = (int)(position - _start);
        return _buffer.AsSpan(at, Math.Min(_count - at, wanted));
    }

    /// <summary>Reads past the window, into a place of the caller's.</summary>
    /// <returns>Bytes read; fewer than it takes only where the file ends.</returns>
    public int Fill(Span<byte> to, long position)
    {
        int count = 0;
        while (count < to.Length && RandomAccess.Read(file, to[count..], position + count) is > 0 and int read)
        {
            count += read;
        }

        return count;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
