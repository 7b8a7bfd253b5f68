using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>Signatures after RFC 8032 and the birational map from their keys to X25519 keys.</summary>
internal static class Ed25519
{
    public const int SeedBytes = 32;
    public const int PublicKeyBytes = 32;
    public const int SecretKeyBytes = 64;
    public const int SignatureBytes = 64;

    public static void KeyPairOf(ReadOnlySpan<byte> seed, Span<byte> publicKey, Span<byte> secretKey)
    {
        Invariant.Check(seed.Length == SeedBytes && publicKey.Length == PublicKeyBytes && secretKey.Length == SecretKeyBytes);
        Sodium.Require();
        Invariant.Check(Sodium.crypto_sign_ed25519_seed_keypair(publicKey, secretKey, seed) == 0);
    }

    public static void Sign(ReadOnlySpan<byte> message, ReadOnlySpan<byte> secretKey, Span<byte> signature)
    {
        Invariant.Check(secretKey.Length == SecretKeyBytes && signature.Length == SignatureBytes);
        Sodium.Require();
        Invariant.Check(Sodium.crypto_sign_ed25519_detached(signature, 0, message, (ulong)message.Length, secretKey) == 0);
    }

    /// <summary>False for a signature of the wrong length, too.</summary>
    public static bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> publicKey)
    {
        Invariant.Check(publicKey.Length == PublicKeyBytes);
        Sodium.Require();
        return signature.Length == SignatureBytes
            && Sodium.crypto_sign_ed25519_verify_detached(signature, message, (ulong)message.Length, publicKey) == 0;
    }

    /// <summary>False when the key is no point of the main subgroup.</summary>
    public static bool TryConvertPublicKey(ReadOnlySpan<byte> ed25519Public, Span<byte> x25519Public)
    {
        Invariant.Check(ed25519Public.Length == PublicKeyBytes && x25519Public.Length == X25519.KeyBytes);
        Sodium.Require();
        return Sodium.crypto_sign_ed25519_pk_to_curve25519(x25519Public, ed25519Public) == 0;
    }

    public static void ConvertSecretKey(ReadOnlySpan<byte> ed25519Secret, Span<byte> x25519Private)
    {
        Invariant.Check(ed25519Secret.Length == SecretKeyBytes && x25519Private.Length == X25519.KeyBytes);
        Sodium.Require();
        Invariant.Check(Sodium.crypto_sign_ed25519_sk_to_curve25519(x25519Private, ed25519Secret) == 0);
    }
}
