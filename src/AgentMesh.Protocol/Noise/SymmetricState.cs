using System.Security.Cryptography;
using System.Text;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Noise;

/// <summary>Noise specification, section 5.2, with SHA-256. Its HKDF is RFC 5869 with the chaining key as salt and no info.</summary>
internal sealed class SymmetricState : IDisposable
{
    public const int HashBytes = SHA256.HashSizeInBytes;

    private readonly byte[] _chainingKey = new byte[HashBytes];
    private readonly byte[] _hash = new byte[HashBytes];
    private readonly CipherState _cipher;

    public SymmetricState(string patternName, CipherSuite suite)
    {
        string protocol = $"Noise_{patternName}_25519_{(suite == CipherSuite.Aes256Gcm ? "AESGCM" : "ChaChaPoly")}_SHA256";
        byte[] name = Encoding.ASCII.GetBytes(protocol);
        if (name.Length <= HashBytes)
        {
            name.CopyTo(_hash, 0);
        }
        else
        {
            SHA256.HashData(name, _hash);
        }

        _hash.CopyTo(_chainingKey, 0);
        _cipher = new CipherState(suite);
    }

    private SymmetricState(SymmetricState other)
    {
        other._chainingKey.CopyTo(_chainingKey, 0);
        other._hash.CopyTo(_hash, 0);
        _cipher = other._cipher.Copy();
    }

    public ReadOnlySpan<byte> Hash => _hash;

    public int Overhead => _cipher.Overhead;

    public SymmetricState Copy() => new(this);

    public void MixKey(ReadOnlySpan<byte> material)
    {
        Span<byte> output = stackalloc byte[2 * HashBytes];
        DeriveKeys(material, output);
        output[..HashBytes].CopyTo(_chainingKey);
        _cipher.InitializeKey(output[HashBytes..]);
        CryptographicOperations.ZeroMemory(output);
    }

    public void MixHash(ReadOnlySpan<byte> data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_hash);
        hash.AppendData(data);
        hash.GetHashAndReset(_hash);
    }

    public void MixKeyAndHash(ReadOnlySpan<byte> material)
    {
        Span<byte> output = stackalloc byte[3 * HashBytes];
        DeriveKeys(material, output);
        output[..HashBytes].CopyTo(_chainingKey);
        MixHash(output[HashBytes..(2 * HashBytes)]);
        _cipher.InitializeKey(output[(2 * HashBytes)..]);
        CryptographicOperations.ZeroMemory(output);
    }

    public void EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> output)
    {
        _cipher.Encrypt(_hash, plaintext, output);
        MixHash(output);
    }

    public bool TryDecryptAndHash(ReadOnlySpan<byte> input, Span<byte> plaintext)
    {
        if (!_cipher.TryDecrypt(_hash, input, plaintext))
        {
            return false;
        }

        MixHash(input);
        return true;
    }

    /// <summary>The two transport keys, the initiator's sending key first.</summary>
    public void Split(Span<byte> initiatorKey, Span<byte> responderKey)
    {
        Span<byte> output = stackalloc byte[2 * HashBytes];
        DeriveKeys(default, output);
        output[..HashBytes].CopyTo(initiatorKey);
        output[HashBytes..].CopyTo(responderKey);
        CryptographicOperations.ZeroMemory(output);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chainingKey);
        _cipher.Dispose();
    }

    // HKDF-Extract is this HMAC; the base library's HKDF refuses the empty key material that Split needs on some platforms.
    private void DeriveKeys(ReadOnlySpan<byte> material, Span<byte> output)
    {
        Span<byte> extracted = stackalloc byte[HashBytes];
        HMACSHA256.HashData(_chainingKey, material, extracted);
        HKDF.Expand(HashAlgorithmName.SHA256, extracted, output, default);
        CryptographicOperations.ZeroMemory(extracted);
    }
}
