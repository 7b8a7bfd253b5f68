using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// How many bytes of all streams of one class may be sent in all. Each class has its own allowance, so that readers of bulk which do not read never stop control.
/// <code>0x08 | class | limit</code>
/// </summary>
internal readonly record struct MaxDataFrame(StreamClass Class, ulong Limit)
{
    public int Size => 2 + VarInt.Size(Limit);

    public int Write(Span<byte> destination) => ClassLimit.Write(destination, FrameType.MaxData, Class, Limit);

    public static bool TryRead(ref ReadOnlySpan<byte> source, out MaxDataFrame frame)
    {
        bool good = ClassLimit.TryRead(ref source, out StreamClass streamClass, out ulong limit);
        frame = new MaxDataFrame(streamClass, limit);
        return good;
    }
}

/// <summary>
/// How many streams of one class the receiver of this frame may have opened in all, ended ones included.
/// <code>0x0a | class | limit</code>
/// </summary>
internal readonly record struct MaxStreamsFrame(StreamClass Class, ulong Limit)
{
    public int Size => 2 + VarInt.Size(Limit);

    public int Write(Span<byte> destination) => ClassLimit.Write(destination, FrameType.MaxStreams, Class, Limit);

    public static bool TryRead(ref ReadOnlySpan<byte> source, out MaxStreamsFrame frame)
    {
        bool good = ClassLimit.TryRead(ref source, out StreamClass streamClass, out ulong limit);
        frame = new MaxStreamsFrame(streamClass, limit);
        return good;
    }
}

internal static class ClassLimit
{
    public static int Write(Span<byte> destination, FrameType type, StreamClass streamClass, ulong limit)
    {
        destination[0] = (byte)type;
        destination[1] = (byte)streamClass;
        return 2 + VarInt.Write(destination[2..], limit);
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out StreamClass streamClass, out ulong limit)
    {
        streamClass = default;
        limit = 0;
        if (source.IsEmpty || source[0] >= StreamId.Classes)
        {
            return false;
        }

        streamClass = (StreamClass)source[0];
        source = source[1..];
        return VarInt.TryRead(ref source, out limit);
    }
}
