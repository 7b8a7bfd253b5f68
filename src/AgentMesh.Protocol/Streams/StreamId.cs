using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// Names a stream of one connection: sequence * 8 + class * 2 + opener (0 the initiator of the session, 1 the responder). Each class and opener counts its streams
/// from 0 without gaps; a frame of a stream opens it and all before it.
/// </summary>
internal readonly record struct StreamId(ulong Value)
{
    public const int Classes = 3;

    private const int SequenceShift = 3;

    public StreamId(ulong sequence, StreamClass streamClass, bool openedByInitiator)
        : this((sequence << SequenceShift) | ((ulong)streamClass << 1) | (openedByInitiator ? 0UL : 1UL))
    {
    }

    public ulong Sequence => Value >> SequenceShift;

    public StreamClass Class => (StreamClass)((Value >> 1) & 3);

    public bool OpenedByInitiator => (Value & 1) == 0;

    /// <summary>False for truncated bytes and for a class that does not exist.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out StreamId id)
    {
        bool good = VarInt.TryRead(ref source, out ulong value);
        id = new StreamId(value);
        return good && (byte)id.Class < Classes;
    }

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
