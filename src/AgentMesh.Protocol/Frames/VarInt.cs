using System.Buffers.Binary;

namespace AgentMesh.Protocol.Frames;

/// <summary>Variable-length integers of RFC 9000, section 16: 1, 2, 4 or 8 bytes, the two high bits say which.</summary>
internal static class VarInt
{
    /// <summary>2^62 - 1.</summary>
    public const ulong Max = (1UL << 62) - 1;

    public const int SizeMax = 8;

    public static int Size(ulong value) => value switch
    {
        < 1UL << 6 => 1,
        < 1UL << 14 => 2,
        < 1UL << 30 => 4,
        _ => 8,
    };

    /// <summary>Reads one number and moves <paramref name="source"/> behind it. Numbers that take more bytes than they need are accepted.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        if (source.IsEmpty)
        {
            return false;
        }

        int length = 1 << (source[0] >> 6);
        if (source.Length < length)
        {
            return false;
        }

        value = length switch
        {
            1 => source[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source) & 0x3fffu,
            4 => BinaryPrimitives.ReadUInt32BigEndian(source) & 0x3fff_ffffu,
            _ => BinaryPrimitives.ReadUInt64BigEndian(source) & Max,
        };
        source = source[length..];
        return true;
    }

    /// <summary>Writes in the shortest form. <paramref name="value"/> is at most <see cref="Max"/>.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> destination, ulong value)
    {
        switch (Size(value))
        {
            case 1:
                destination[0] = (byte)value;
                return 1;
            case 2:
                BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(value | 0x4000));
                return 2;
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)value | 0x8000_0000u);
                return 4;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(destination, value | 0xc000_0000_0000_0000u);
                return 8;
        }
    }
}
