namespace AgentMesh.Protocol.Frames;

/// <summary>
/// A question that proves an address, and its answer, with the same bytes.
/// <code>0x0b question, 0x0c answer | 8 bytes that nobody can guess</code>
/// </summary>
internal static class PathFrame
{
    public const int DataBytes = 8;
    public const int Size = 1 + DataBytes;

    public static int Write(Span<byte> destination, FrameType type, ReadOnlySpan<byte> data)
    {
        destination[0] = (byte)type;
        data[..DataBytes].CopyTo(destination[1..]);
        return Size;
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (source.Length < DataBytes)
        {
            return false;
        }

        data = source[..DataBytes];
        source = source[DataBytes..];
        return true;
    }
}
