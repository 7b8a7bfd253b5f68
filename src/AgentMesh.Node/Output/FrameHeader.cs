using System.Buffers.Binary;
using AgentMesh.Transport;

namespace AgentMesh.Node.Output;

/// <summary>
/// What the frames of the bulk services and of input have in common: 1 byte kind, 1 byte stream (zero where there is but one), 8 bytes offset, 4 bytes length
/// (little-endian), then the data. Kind 1 is data everywhere, and no other has a length.
/// </summary>
internal readonly record struct FrameHeader(byte Kind, byte Stream, long Offset, int Length)
{
    public const int Bytes = 14;

    private const byte Data = 1;

    /// <param name="lastKind">Of the service; a greater one breaks the protocol.</param>
    /// <param name="dataBytesMax">Data of one frame; a longer one breaks the protocol.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, byte lastKind, int dataBytesMax, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < Bytes || bytes[0] < Data || bytes[0] > lastKind)
        {
            return false;
        }

        long offset = BinaryPrimitives.ReadInt64LittleEndian(bytes[2..]);
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]);
        if (offset < 0 || length < 0 || length > dataBytesMax || (length > 0 && bytes[0] != Data))
        {
            return false;
        }

        header = new FrameHeader(bytes[0], bytes[1], offset, length);
        return true;
    }

    public void Write(Span<byte> bytes)
    {
        bytes[0] = Kind;
        bytes[1] = Stream;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[10..], Length);
    }

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Bytes];
        Write(bytes);
        return stream.WriteAsync(bytes, cancellationToken);
    }
}
