using AgentMesh.Errors;
using AgentMesh.Journal.Storage;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>Copies the bytes of one stream out of a file whose records belong to several; verifies each record that it takes from.</summary>
internal static class OutputReader
{
    private const int ReadAhead = 32 * 1024;

    public static ReadOnlyMemory<byte> Read(SafeFileHandle file, long position, long end, OutputAddress address, long from, int count, string path)
    {
        byte[] result = new byte[count];
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
                ReadOnlySpan<byte> record = window.At(position, RecordHeader.Size + header.PayloadLength);
                if (record.Length < RecordHeader.Size + header.PayloadLength || header.Offset > from + filled || Crc32C.Of(record[RecordHeader.Size..]) != header.PayloadCrc)
                {
                    throw Damaged(path, position);
                }

                int skip = (int)(from + filled - header.Offset);
                int take = Math.Min(header.PayloadLength - skip, count - filled);
                record.Slice(RecordHeader.Size + skip, take).CopyTo(result.AsSpan(filled));
                filled += take;
            }

            position += RecordHeader.Size + header.PayloadLength;
        }

        return filled == count ? result : throw Damaged(path, position);
    }

    private static MeshException Damaged(string path, long position) =>
        new(JournalErrors.OutputDamaged, $"{path} is damaged at byte {position}", "restore the file from a backup, or delete the output of the job");
}
