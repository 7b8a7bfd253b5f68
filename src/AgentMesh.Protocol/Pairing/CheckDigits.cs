using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace AgentMesh.Protocol.Pairing;

/// <summary>Six decimal digits of a handshake that both devices show, so that their owners see that they speak to each other.</summary>
public readonly record struct CheckDigits
{
    private const ulong Count = 1_000_000;

    private readonly uint _value;

    private CheckDigits(uint value) => _value = value;

    public static CheckDigits Of(ReadOnlySpan<byte> handshakeHash)
    {
        Span<byte> bytes = stackalloc byte[8];
        HKDF.Expand(HashAlgorithmName.SHA256, handshakeHash, bytes, "agentmesh check digits"u8);
        return new CheckDigits((uint)(BinaryPrimitives.ReadUInt64BigEndian(bytes) % Count)); // bias below 2^-44
    }

    /// <summary>For example <c>042917</c>.</summary>
    public override string ToString() => _value.ToString("d6", CultureInfo.InvariantCulture);
}
