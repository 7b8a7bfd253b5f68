using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Pairing;

/// <summary>
/// Six decimal digits of a handshake that both devices show, so that their owners see that they speak to each other. Made slow and memory-hard on purpose:
/// somebody between the devices would have to try about a million handshakes within seconds to get the same digits on both sides.
/// </summary>
public readonly record struct CheckDigits
{
    private const ulong Count = 1_000_000;
    private const int SaltBytes = 16;
    private const ulong Passes = 2;
    private const int MemoryBytes = 64 * 1024 * 1024;
    private const int Argon2id13 = 2;

    private readonly uint _value;

    private CheckDigits(uint value) => _value = value;

    /// <summary>Takes about a tenth of a second and 64 MiB for that time; not for the thread of an endpoint.</summary>
    public static CheckDigits Of(ReadOnlySpan<byte> handshakeHash)
    {
        Span<byte> material = stackalloc byte[SHA256.HashSizeInBytes + SaltBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, handshakeHash, material, "agentmesh check digits"u8);
        Span<byte> output = stackalloc byte[16];
        Sodium.Require();
        int result = Sodium.crypto_pwhash_argon2id(
            output,
            (ulong)output.Length,
            material[..SHA256.HashSizeInBytes],
            SHA256.HashSizeInBytes,
            material[SHA256.HashSizeInBytes..],
            Passes,
            MemoryBytes,
            Argon2id13);
        if (result != 0)
        {
            throw new InsufficientMemoryException($"{MemoryBytes} bytes for check digits could not be had");
        }

        return new CheckDigits((uint)(BinaryPrimitives.ReadUInt64BigEndian(output) % Count)); // bias below 2^-44
    }

    /// <summary>For example <c>042917</c>.</summary>
    public override string ToString() => _value.ToString("d6", CultureInfo.InvariantCulture);
}
