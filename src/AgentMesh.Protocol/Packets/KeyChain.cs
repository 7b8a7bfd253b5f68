using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// The secret that all keys of an epoch come from, and that the next epoch's secret is made of. Each link adds a fresh Diffie-Hellman result, so that keys
/// are forward secret and heal after a leak; the chain itself keeps the handshake's authentication.
/// </summary>
internal sealed class KeyChain : IDisposable
{
    private const int SecretBytes = SHA256.HashSizeInBytes;

    private readonly byte[] _secret;

    private KeyChain(byte[] secret) => _secret = secret;

    /// <summary>Epoch 0: HKDF-Extract(salt = handshake hash, both keys of the Noise split, the initiator's first).</summary>
    public static KeyChain FromHandshake(ReadOnlySpan<byte> handshakeHash, ReadOnlySpan<byte> initiatorKey, ReadOnlySpan<byte> responderKey)
    {
        Span<byte> material = stackalloc byte[2 * SecretBytes];
        initiatorKey.CopyTo(material);
        responderKey.CopyTo(material[SecretBytes..]);
        return Extract(handshakeHash, material);
    }

    /// <summary>HKDF-Extract(salt = this secret, shared secret, epoch, request's key, answer's key).</summary>
    public KeyChain Next(uint epoch, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> requestEphemeral, ReadOnlySpan<byte> answerEphemeral)
    {
        Span<byte> material = stackalloc byte[3 * X25519.KeyBytes + sizeof(uint)];
        shared.CopyTo(material);
        BinaryPrimitives.WriteUInt32BigEndian(material[32..], epoch);
        requestEphemeral.CopyTo(material[36..]);
        answerEphemeral.CopyTo(material[68..]);
        return Extract(_secret, material);
    }

    /// <summary>HKDF-Expand under a label that ends in the direction: the initiator of the handshake sends with <c>i2r</c>.</summary>
    public void Expand(ReadOnlySpan<byte> label, Span<byte> key) => HKDF.Expand(HashAlgorithmName.SHA256, _secret, key, label);

    /// <summary>For a key log.</summary>
    public ReadOnlySpan<byte> Reveal() => _secret;

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);

    private static KeyChain Extract(ReadOnlySpan<byte> salt, Span<byte> material)
    {
        byte[] secret = new byte[SecretBytes];
        HKDF.Extract(HashAlgorithmName.SHA256, material, salt, secret);
        CryptographicOperations.ZeroMemory(material);
        return new KeyChain(secret);
    }
}
