using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Eight random bytes, chosen by the side that receives packets which carry them. They say nothing about the device and may change during a connection.
/// </summary>
public readonly record struct ConnectionId(ulong Value)
{
    public const int Size = 8;

    public static ConnectionId Next(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return Read(bytes);
    }

    /// <summary>Reads the first <see cref="Size"/> bytes.</summary>
    public static ConnectionId Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt64BigEndian(source));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Value);

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
