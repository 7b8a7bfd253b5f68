using System.Buffers.Binary;
using AgentMesh.Errors;
using AgentMesh.Journal.Storage;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Journal.Output;

/// <summary>Finds the whole records of a file, and decides whether what follows them is a torn end or damage.</summary>
internal static class LogRecovery
{
    // What may be unflushed at a crash is bounded (OutputStoreSettings.UnflushedBytesMax); payloads further back were flushed before later
    // records were written and are verified when they are read.
    private const long VerifiedTailBytes = 128L * 1024 * 1024;

    /// <param name="file">The file.</param>
    /// <param name="length">Its length.</param>
    /// <param name="start">Size of the file header.</param>
    /// <param name="visit">Gets each whole record: header, position, payload (empty for chunks).</param>
    /// <param name="path">For the error.</param>
    /// <returns>The end of the last whole record; what follows was never acknowledged.</returns>
    /// <exception cref="MeshException"><c>AM0420</c> when acknowledged records are missing.</exception>
    public static long Scan(SafeFileHandle file, long length, long start, Action<RecordHeader, long, byte[]> visit, string path)
    {
        using RecordWindow window = new(file, length, RecordHeader.PayloadBytesMax);
        long position = start;
        while (TryReadWhole(window, position, length, out RecordHeader header, out byte[] payload))
        {
            visit(header, position, payload);
            position += RecordHeader.Size + header.PayloadLength;
        }

        for (long probe = position + 1; probe + RecordHeader.Size <= length; probe++)
        {
            if (RecordHeader.TryRead(window.At(probe, RecordHeader.Size), out RecordHeader later) && later.DurablePosition > position)
            {
                throw new MeshException(
                    JournalErrors.OutputDamaged,
                    $"{path} is damaged at byte {position}: {later.DurablePosition} bytes of it were acknowledged",
                    "restore the file from a backup, or delete the output of the job");
            }
        }

        return position;
    }

    private static bool TryReadWhole(RecordWindow window, long position, long length, out RecordHeader header, out byte[] payload)
    {
        payload = [];
        if (!RecordHeader.TryRead(window.At(position, RecordHeader.Size), out header) || position + RecordHeader.Size + header.PayloadLength > length)
        {
            return false;
        }

        if (header.Type == RecordType.Chunk && position < length - VerifiedTailBytes)
        {
            return true;
        }

        ReadOnlySpan<byte> bytes = window.At(position, RecordHeader.Size + header.PayloadLength);
        if (bytes.Length < RecordHeader.Size + header.PayloadLength || Crc32C.Of(bytes.Slice(RecordHeader.Size, header.PayloadLength)) != header.PayloadCrc)
        {
            return false;
        }

        if (header.Type != RecordType.Chunk)
        {
            payload = bytes.Slice(RecordHeader.Size, header.PayloadLength).ToArray();
        }

        return true;
    }

    public static byte[] FinalPayload(IReadOnlyDictionary<OutputStreamKind, long> lengths)
    {
        byte[] payload = new byte[lengths.Count * 9];
        int at = 0;
        foreach ((OutputStreamKind stream, long length) in lengths)
        {
            payload[at] = (byte)stream;
            BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(at + 1), length);
            at += 9;
        }

        return payload;
    }

    public static IEnumerable<(OutputStreamKind Stream, long Length)> ReadFinalPayload(byte[] payload)
    {
        for (int at = 0; at + 9 <= payload.Length; at += 9)
        {
            yield return ((OutputStreamKind)payload[at], BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(at + 1)));
        }
    }
}
