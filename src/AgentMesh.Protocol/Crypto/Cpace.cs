using System.Security.Cryptography;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>
/// One side of CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace, CPACE-RISTR255-SHA512, with an initiator and a responder): two that know the same password get the same
/// key, and each exchange tells an attacker about one guess at most. Single use. Disposing forgets the secret scalar.
/// </summary>
internal sealed class Cpace : IDisposable
{
    public const int ShareBytes = Ristretto255.ElementBytes;
    public const int KeyBytes = SHA512.HashSizeInBytes;

    // s_in_bytes: the block of SHA-512, so that the password is hashed in the first one alone.
    private const int HashBlockBytes = 128;

    private readonly byte[] _scalar = new byte[Ristretto255.ScalarBytes];
    private readonly byte[] _share = new byte[ShareBytes];
    private readonly byte[] _session;

    private Cpace(byte[] session) => _session = session;

    private static ReadOnlySpan<byte> Dsi => "CPaceRistretto255"u8;

    private static ReadOnlySpan<byte> DsiKey => "CPaceRistretto255_ISK"u8;

    /// <summary>What the other side gets.</summary>
    public ReadOnlySpan<byte> Share => _share;

    public static Cpace Begin(ReadOnlySpan<byte> password, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> session, IEntropy entropy)
    {
        Span<byte> wide = stackalloc byte[Ristretto255.WideBytes];
        Span<byte> scalar = stackalloc byte[Ristretto255.ScalarBytes];
        entropy.Fill(wide);
        Ristretto255.Reduce(wide, scalar);
        Cpace begun = Begin(password, channel, session, scalar);
        CryptographicOperations.ZeroMemory(wide);
        CryptographicOperations.ZeroMemory(scalar);
        return begun;
    }

    /// <summary>With a given scalar, for vectors.</summary>
    internal static Cpace Begin(ReadOnlySpan<byte> password, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> session, ReadOnlySpan<byte> scalar)
    {
        var begun = new Cpace(session.ToArray());
        scalar.CopyTo(begun._scalar);
        Span<byte> generator = stackalloc byte[Ristretto255.ElementBytes];
        Generator(password, channel, session, generator);
        Invariant.Check(Ristretto255.TryMultiply(scalar, generator, begun._share)); // only a scalar of zero fails
        return begun;
    }

    /// <summary>calculate_generator of the draft.</summary>
    internal static void Generator(ReadOnlySpan<byte> password, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> session, Span<byte> generator)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        int prefixed = PrefixBytes(password.Length) + password.Length + PrefixBytes(Dsi.Length) + Dsi.Length;
        AppendPrefixed(hash, Dsi);
        AppendPrefixed(hash, password);
        AppendPrefixed(hash, new byte[Math.Max(0, HashBlockBytes - 1 - prefixed)]);
        AppendPrefixed(hash, channel);
        AppendPrefixed(hash, session);
        Ristretto255.FromHash(hash.GetHashAndReset(), generator);
    }

    /// <summary>The key (ISK) of the side that began; its peer gets the same from <see cref="TryFinishResponder"/> when both have the same password, channel, session and data.</summary>
    /// <returns>False when the share is no valid one.</returns>
    public bool TryFinishInitiator(ReadOnlySpan<byte> ownData, ReadOnlySpan<byte> peerShare, ReadOnlySpan<byte> peerData, Span<byte> key) =>
        TryFinish(_share, ownData, peerShare, peerData, peerShare, key);

    /// <inheritdoc cref="TryFinishInitiator"/>
    public bool TryFinishResponder(ReadOnlySpan<byte> ownData, ReadOnlySpan<byte> peerShare, ReadOnlySpan<byte> peerData, Span<byte> key) =>
        TryFinish(peerShare, peerData, _share, ownData, peerShare, key);

    public void Dispose() => CryptographicOperations.ZeroMemory(_scalar);

    private bool TryFinish(
        ReadOnlySpan<byte> initiatorShare, ReadOnlySpan<byte> initiatorData, ReadOnlySpan<byte> responderShare, ReadOnlySpan<byte> responderData, ReadOnlySpan<byte> peerShare, Span<byte> key)
    {
        Invariant.Check(key.Length == KeyBytes);
        Span<byte> secret = stackalloc byte[Ristretto255.ElementBytes];
        if (!Ristretto255.TryMultiply(_scalar, peerShare, secret))
        {
            return false;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        AppendPrefixed(hash, DsiKey);
        AppendPrefixed(hash, _session);
        AppendPrefixed(hash, secret);
        AppendPrefixed(hash, initiatorShare);
        AppendPrefixed(hash, initiatorData);
        AppendPrefixed(hash, responderShare);
        AppendPrefixed(hash, responderData);
        hash.GetHashAndReset(key);
        CryptographicOperations.ZeroMemory(secret);
        return true;
    }

    // prepend_len of the draft: the length in LEB128, then the bytes.
    private static void AppendPrefixed(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> prefix = stackalloc byte[5];
        int count = 0;
        for (int rest = part.Length; ; rest >>= 7)
        {
            bool isLast = rest < 0x80;
            prefix[count++] = (byte)(rest & 0x7f | (isLast ? 0 : 0x80));
            if (isLast)
            {
                break;
            }
        }

        hash.AppendData(prefix[..count]);
        hash.AppendData(part);
    }

    private static int PrefixBytes(int length) => length < 0x80 ? 1 : 1 + PrefixBytes(length >> 7);
}
