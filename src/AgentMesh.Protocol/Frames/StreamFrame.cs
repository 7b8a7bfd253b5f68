using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// Bytes of a stream; the data follow the header.
/// <code>
/// 0x20 + FIN + 2 * LEN | stream id | offset | length, with LEN only | data
/// </code>
/// </summary>
internal readonly record struct StreamFrame(StreamId Id, ulong Offset, int Length, bool Fin)
{
    private const byte FinBit = 0x01;
    private const byte LengthBit = 0x02;
    private const byte Bits = FinBit | LengthBit;

    public static bool IsType(byte type) => (type & ~Bits) == (byte)FrameType.Stream;

    /// <summary>Writes the header with a length.</summary>
    public int Write(Span<byte> destination)
    {
        int length = 0;
        destination[length++] = (byte)((byte)FrameType.Stream | LengthBit | (Fin ? FinBit : 0));
        length += VarInt.Write(destination[length..], Id.Value);
        length += VarInt.Write(destination[length..], Offset);
        return length + VarInt.Write(destination[length..], (ulong)Length);
    }

    /// <summary>Reads what follows the type, data included.</summary>
    public static bool TryRead(byte type, ref ReadOnlySpan<byte> source, out StreamFrame frame, out ReadOnlySpan<byte> data)
    {
        frame = default;
        data = default;
        if (!StreamId.TryRead(ref source, out StreamId id) || !VarInt.TryRead(ref source, out ulong offset))
        {
            return false;
        }

        ulong length = (ulong)source.Length;
        if ((type & LengthBit) != 0 && !VarInt.TryRead(ref source, out length))
        {
            return false;
        }

        if (length > (ulong)source.Length || offset + length > VarInt.Max)
        {
            return false;
        }

        data = source[..(int)length];
        source = source[(int)length..];
        frame = new StreamFrame(id, offset, data.Length, (type & FinBit) != 0);
        return true;
    }
}
