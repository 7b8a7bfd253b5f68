using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Events;

/// <summary>
/// The number of the last acknowledged commit, kept outside the database in <c>NAME.ack</c>: SQLite drops everything behind a damaged or cut place
/// of its log without a word, and only an outside witness can tell that acknowledged commits went with it.
/// </summary>
/// <remarks>
/// 16 bytes: the number and its complement, little endian. Written after each commit and before the writers hear of it, without a flush:
/// it is exact after a crash of the process and may lag behind after a power cut, but is never ahead of the truth.
/// </remarks>
internal sealed class AckFile : IDisposable
{
    private const int SizeBytes = 16;
    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer = new byte[SizeBytes];

    private AckFile(SafeFileHandle file, long acknowledged)
    {
        _file = file;
        Acknowledged = acknowledged;
    }

    /// <summary>What the file said when it was opened; 0 when it was absent or unreadable, which proves nothing.</summary>
    public long Acknowledged { get; }

    public static AckFile Open(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        Span<byte> bytes = stackalloc byte[SizeBytes];
        long number = 0;
        if (RandomAccess.Read(file, bytes, 0) == SizeBytes)
        {
            long value = BinaryPrimitives.ReadInt64LittleEndian(bytes);
            number = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) == ~value ? value : 0;
        }

        return new AckFile(file, number);
    }

    public void Write(long commitNumber)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer, commitNumber);
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(8), ~commitNumber);
        RandomAccess.Write(_file, _buffer, 0);
    }

    /// <summary>Makes the number survive a power cut; for an orderly stop.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    public void Dispose() => _file.Dispose();
}
