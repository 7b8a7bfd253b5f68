using System.Buffers.Binary;

namespace AgentMesh.Protocol.Pairing;

/// <summary>
/// Names an invitation on the wire: 16 bytes derived from its secret, so that only a holder of the link can say it, and it does not give the secret away.
/// <c>default</c> means no invitation.
/// </summary>
public readonly record struct InvitationId(UInt128 Value)
{
    public const int Size = 16;

    public bool IsNone => Value == UInt128.Zero;

    public static InvitationId Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt128BigEndian(source));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    public override string ToString() => IsNone ? "(none)" : Value.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
}
