using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// The sender gives up a direction of a stream; bytes that did not arrive yet never will.
/// <code>0x04 | stream id | code | final size</code>
/// </summary>
internal readonly record struct ResetStreamFrame(StreamId Id, ulong Code, ulong FinalSize)
{
    public int Size => 1 + VarInt.Size(Id.Value) + VarInt.Size(Code) + VarInt.Size(FinalSize);

    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.ResetStream;
        int length = 1 + VarInt.Write(destination[1..], Id.Value);
        length += VarInt.Write(destination[length..], Code);
        return length + VarInt.Write(destination[length..], FinalSize);
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out ResetStreamFrame frame)
    {
        frame = default;
        if (!StreamId.TryRead(ref source, out StreamId id) || !VarInt.TryRead(ref source, out ulong code) || !VarInt.TryRead(ref source, out ulong size))
        {
            return false;
        }

        frame = new ResetStreamFrame(id, code, size);
        return true;
    }
}

/// <summary>
/// The receiver reads no more of a stream; the sender answers with RESET_STREAM unless all was acknowledged.
/// <code>0x05 | stream id | code</code>
/// </summary>
internal readonly record struct StopSendingFrame(StreamId Id, ulong Code)
{
    public int Size => 1 + VarInt.Size(Id.Value) + VarInt.Size(Code);

    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.StopSending;
        int length = 1 + VarInt.Write(destination[1..], Id.Value);
        return length + VarInt.Write(destination[length..], Code);
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out StopSendingFrame frame)
    {
        frame = default;
        if (!StreamId.TryRead(ref source, out StreamId id) || !VarInt.TryRead(ref source, out ulong code))
        {
            return false;
        }

        frame = new StopSendingFrame(id, code);
        return true;
    }
}

/// <summary>
/// How far a stream may be sent: offsets below <paramref name="Limit"/>. Smaller limits than an earlier one mean nothing.
/// <code>0x09 | stream id | limit</code>
/// </summary>
internal readonly record struct MaxStreamDataFrame(StreamId Id, ulong Limit)
{
    public int Size => 1 + VarInt.Size(Id.Value) + VarInt.Size(Limit);

    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.MaxStreamData;
        int length = 1 + VarInt.Write(destination[1..], Id.Value);
        return length + VarInt.Write(destination[length..], Limit);
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out MaxStreamDataFrame frame)
    {
        frame = default;
        if (!StreamId.TryRead(ref source, out StreamId id) || !VarInt.TryRead(ref source, out ulong limit))
        {
            return false;
        }

        frame = new MaxStreamDataFrame(id, limit);
        return true;
    }
}
