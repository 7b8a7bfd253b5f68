using AgentMesh.Errors;
using AgentMesh.Journal.Storage;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>Copies the bytes of one stream out of a file whose records belong to several; verifies each record that it takes from.</summary>
internal static class OutputReader
{
    /// <summary>Enough for many lines; more would be read in vain where records are long.</summary>
    private const int ReadAhead = 32 * 1024;

    /// <summary>A payload of this size is read to where it goes and not copied there.</summary>
    private const int DirectFrom = 8 * 1024;

    public static ReadOnlyMemory<byte> Read(SafeFileHandle file, long position, long end, OutputAddress address, long from, int count, string path)
    {
        byte[] result = GC.AllocateUninitializedArray<byte>(count);
        int filled = 0;
        using RecordWindow window = new(file, end, ReadAhead);
        while (filled < count && position < end)
        {
            if (!RecordHeader.TryRead(window.At(position, RecordHeader.Size), out RecordHeader header))
            {
                throw Damaged(path, position);
            }

            if (header.Type == RecordType.Chunk && header.Attempt == address.Attempt && header.Stream == address.Stream && header.Offset + header.PayloadLength > from + filled)
            {
                int skip = (int)(from + filled - header.Offset);
                int take = Math.Min(header.PayloadLength - skip, count - filled);
                Span<byte> to = skip >= 0 ? result.AsSpan(filled, take) : throw Damaged(path, position);
                bool isSound = take >= DirectFrom && take == header.PayloadLength
                    ? position + RecordHeader.Size + take <= end && window.Fill(to, position + RecordHeader.Size) == take && Crc32C.Of(to) == header.PayloadCrc
                    : TryCopy(window, position, header, skip, to);
                if (!isSound)
                {
                    throw Damaged(path, position);
                }

                filled += take;
            }

            window.ReadAhead = header.PayloadLength >= DirectFrom ? RecordHeader.Size : ReadAhead;
            position += RecordHeader.Size + header.PayloadLength;
        }

        return filled == count ? result : throw Damaged(path, position);
    }

    /// <summary>A part of the payload, of which the whole is verified.</summary>
    private static bool TryCopy(RecordWindow window, long position, RecordHeader header, int skip, Span<byte> to)
    {
        ReadOnlySpan<byte> record = window.At(position, RecordHeader.Size + header.PayloadLength);
        if (record.Length < RecordHeader.Size + header.PayloadLength || Crc32C.Of(record[RecordHeader.Size..]) != header.PayloadCrc)
        {
            return false;
        }

        record.Slice(RecordHeader.Size + skip, to.Length).CopyTo(to);
        return true;
    }

    private static MeshException Damaged(string path, long position) =>
        new(JournalErrors.OutputDamaged, $"{path} is damaged at byte {position}", "restore the file from a backup, or delete the output of the job");
}
