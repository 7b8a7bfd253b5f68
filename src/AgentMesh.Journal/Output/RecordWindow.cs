using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>Reads a file forward through one buffer, so that small records do not cost a system call each.</summary>
internal sealed class RecordWindow(SafeFileHandle file, long end, int readAhead) : IDisposable
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(RecordHeader.Size + RecordHeader.PayloadBytesMax);
    private long _start;
    private int _count;

    /// <summary>The bytes at the position, <paramref name="wanted"/> of them unless the file ends before. Valid until the next call.</summary>
    public ReadOnlySpan<byte> At(long position, int wanted)
    {
        if (position < _start || position + wanted > _start + _count)
        {
            int room = (int)Math.Min(Math.Min(_buffer.Length, Math.Max(wanted, readAhead)), Math.Max(0, end - position));
            int count = 0;
            while (count < room)
            {
                int read = RandomAccess.Read(file, _buffer.AsSpan(count, room - count), position + count);
                if (read == 0)
                {
                    break;
                }

                count += read;
            }

            _start = position;
            _count = count;
        }

        int at = (int)(position - _start);
        return _buffer.AsSpan(at, Math.Min(_count - at, wanted));
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
