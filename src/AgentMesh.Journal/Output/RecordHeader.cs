using System.Buffers.Binary;
using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal.Output;

/// <summary>Numbers are part of the file format; a removed one stays reserved.</summary>
internal enum RecordType : byte
{
    Chunk = 1,
    AttemptStarted = 2,
    FinalLengths = 3,
}

/// <summary>
/// The head of a record in an output file, little endian:
/// <code>
///  0 u32 magic "AMR1"   4 u8 type   5 u8 stream   6 u16 zero   8 i32 attempt   12 i32 payload length
/// 16 i64 stream offset  24 i64 durable position   32 u32 CRC-32C of the payload  36 u32 CRC-32C of bytes 0..35
/// </code>
/// The durable position is the part of the file that was flushed when the record was written. A record that can be read proves that everything
/// before its durable position was acknowledged, which tells damage from the torn end of a write that nobody was promised.
/// </summary>
internal readonly record struct RecordHeader(RecordType Type, OutputStreamKind Stream, int Attempt, int PayloadLength, long Offset, long DurablePosition, uint PayloadCrc)
{
    public const int Size = 40;

    /// <summary>What a reader takes: earlier versions wrote up to this much into one record.</summary>
    public const int PayloadBytesMax = 256 * 1024;

    /// <summary>Longer appends are split. A reader verifies a whole record to return one byte of it, and readers take as much at a time.</summary>
    public const int PayloadBytesWritten = 64 * 1024;

    private const uint Magic = 0x31524D41;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        to[4] = (byte)Type;
        to[5] = (byte)Stream;
        to[6] = to[7] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Attempt);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], PayloadLength);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], DurablePosition);
        BinaryPrimitives.WriteUInt32LittleEndian(to[32..], PayloadCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[36..], Crc32C.Of(to[..36]));
    }

    public static bool TryRead(ReadOnlySpan<byte> from, out RecordHeader header)
    {
        header = default;
        if (from.Length < Size
            || BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(from[36..]) != Crc32C.Of(from[..36]))
        {
            return false;
        }

        header = new RecordHeader(
            (RecordType)from[4],
            (OutputStreamKind)from[5],
            BinaryPrimitives.ReadInt32LittleEndian(from[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(from[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[32..]));
        return header.PayloadLength is >= 0 and <= PayloadBytesMax && header.Attempt > 0 && header.Offset >= 0;
    }
}
