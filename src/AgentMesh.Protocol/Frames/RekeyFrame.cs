using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// Carries one rekey message, repeated until it is acknowledged or a newer one takes its place.
/// <code>0x03 | message, 37 bytes</code>
/// </summary>
internal static class RekeyFrame
{
    public const int Size = 1 + RekeyMessage.Size;

    public static int Write(Span<byte> destination, ReadOnlySpan<byte> message)
    {
        destination[0] = (byte)FrameType.Rekey;
        message[..RekeyMessage.Size].CopyTo(destination[1..]);
        return Size;
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (source.Length < RekeyMessage.Size)
        {
            return false;
        }

        message = source[..RekeyMessage.Size];
        source = source[RekeyMessage.Size..];
        return true;
    }
}
