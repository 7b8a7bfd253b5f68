using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>Diffie-Hellman on curve25519 (RFC 7748).</summary>
internal static class X25519
{
    public const int KeyBytes = 32;

    /// <summary>False when the peer's point has a low order, so that the shared secret would be zero (RFC 7748, section 6.1).</summary>
    public static bool TryAgree(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        Invariant.Check(privateKey.Length == KeyBytes && publicKey.Length == KeyBytes && shared.Length == KeyBytes);
        Sodium.Require();
        return Sodium.crypto_scalarmult_curve25519(shared, privateKey, publicKey) == 0;
    }

    public static void PublicKeyOf(ReadOnlySpan<byte> privateKey, Span<byte> publicKey)
    {
        Invariant.Check(privateKey.Length == KeyBytes && publicKey.Length == KeyBytes);
        Sodium.Require();
        Invariant.Check(Sodium.crypto_scalarmult_curve25519_base(publicKey, privateKey) == 0);
    }
}
