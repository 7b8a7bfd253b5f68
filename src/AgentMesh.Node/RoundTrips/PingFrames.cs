using System.Buffers.Binary;

namespace AgentMesh.Node.RoundTrips;

// Service "ping", both directions in fixed sizes, numbers big-endian (docs/protocol/ping-v1.md):
//   question  8 bytes  sequence
//   answer   16 bytes  sequence of the question, clock of the answering device in milliseconds since 1970-01-01 UTC

internal readonly record struct PingQuestion(ulong Sequence)
{
    public const int Size = 8;

    public static PingQuestion Read(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64BigEndian(from));

    public void Write(Span<byte> to) => BinaryPrimitives.WriteUInt64BigEndian(to, Sequence);
}

/// <param name="ClockMs">Said by the other device: any value, also a senseless one.</param>
internal readonly record struct PingAnswer(ulong Sequence, long ClockMs)
{
    public const int Size = 16;

    public static PingAnswer Read(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64BigEndian(from), BinaryPrimitives.ReadInt64BigEndian(from[8..]));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, Sequence);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], ClockMs);
    }
}
