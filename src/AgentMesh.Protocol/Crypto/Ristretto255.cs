using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>The group ristretto255 (RFC 9496), for password-authenticated key agreement.</summary>
internal static class Ristretto255
{
    public const int ElementBytes = 32;
    public const int ScalarBytes = 32;
    public const int WideBytes = 64;

    /// <summary>An element that nobody knows the discrete logarithm of.</summary>
    public static void FromHash(ReadOnlySpan<byte> hash, Span<byte> element)
    {
        Invariant.Check(hash.Length == WideBytes && element.Length == ElementBytes);
        Require();
        Invariant.Check(Sodium.crypto_core_ristretto255_from_hash(element, hash) == 0);
    }

    /// <summary>A scalar that is as good as uniform, from 64 random bytes.</summary>
    public static void Reduce(ReadOnlySpan<byte> wide, Span<byte> scalar)
    {
        Invariant.Check(wide.Length == WideBytes && scalar.Length == ScalarBytes);
        Require();
        Sodium.crypto_core_ristretto255_scalar_reduce(scalar, wide);
    }

    /// <summary>False when <paramref name="element"/> is no element, or the product is the neutral one.</summary>
    public static bool TryMultiply(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element, Span<byte> product)
    {
        Invariant.Check(scalar.Length == ScalarBytes && element.Length == ElementBytes && product.Length == ElementBytes);
        Require();
        return Sodium.crypto_scalarmult_ristretto255(product, scalar, element) == 0;
    }

    /// <exception cref="MeshException">AM0101: libsodium is missing, or older than 1.0.18, which brought this group.</exception>
    public static void Require()
    {
        Sodium.Require();
        if (!Sodium.HasRistretto)
        {
            throw new MeshException(
                ProtocolErrors.SodiumMissing,
                $"libsodium {SodiumLibrary.Version} is too old for pairing by code; 1.0.18 is needed",
                "Update libsodium, or pair by the link that 'agentmesh invite --link' prints.");
        }
    }
}
