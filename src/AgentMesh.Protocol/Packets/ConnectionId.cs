using System.Buffers.Binary;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Eight bytes, chosen by the side that receives packets which carry them (<see cref="OwnConnectionIds"/>). They say nothing about the device to others and may change during a connection.
/// </summary>
public readonly record struct ConnectionId(ulong Value)
{
    public const int Size = 8;

    /// <summary>Reads the first <see cref="Size"/> bytes.</summary>
    public static ConnectionId Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt64BigEndian(source));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
