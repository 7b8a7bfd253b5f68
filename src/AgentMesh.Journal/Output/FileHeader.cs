using System.Buffers.Binary;
using System.Text;
using AgentMesh.Journal.Storage;

namespace AgentMesh.Journal.Output;

/// <summary>The head of an output file: <c>u32 magic "AMO1", u16 version 1, u16 length of the job id, job id in UTF-8, u32 CRC-32C of all before</c>.</summary>
internal static class FileHeader
{
    public const int JobIdBytesMax = 512;
    public const int SizeMax = 8 + JobIdBytesMax + 4;
    private const uint Magic = 0x314F4D41;
    private const ushort Version = 1;

    public static byte[] Write(string jobId)
    {
        int idLength = Encoding.UTF8.GetByteCount(jobId);
        byte[] bytes = new byte[8 + idLength + 4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), (ushort)idLength);
        Encoding.UTF8.GetBytes(jobId, bytes.AsSpan(8));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8 + idLength), Crc32C.Of(bytes.AsSpan(0, 8 + idLength)));
        return bytes;
    }

    /// <summary>The size of the head when it is whole and names this job; 0 otherwise.</summary>
    public static int Verify(ReadOnlySpan<byte> bytes, string jobId)
    {
        byte[] expected = Write(jobId);
        return bytes.StartsWith(expected) ? expected.Length : 0;
    }
}
