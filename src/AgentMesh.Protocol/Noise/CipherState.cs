using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Noise;

/// <summary>Noise specification, section 5.1: a key and a counter. Without a key it passes bytes through.</summary>
internal sealed class CipherState(CipherSuite suite) : IDisposable
{
    private readonly byte[] _key = new byte[Aead.KeyBytes];
    private Aead? _aead;
    private ulong _nonce;

    /// <summary>What a message grows by: 16 bytes with a key, else 0.</summary>
    public int Overhead => _aead is null ? 0 : Aead.TagBytes;

    public void InitializeKey(ReadOnlySpan<byte> key)
    {
        _aead?.Dispose();
        key.CopyTo(_key);
        _aead = Aead.Create(suite, key);
        _nonce = 0;
    }

    public CipherState Copy()
    {
        var copy = new CipherState(suite);
        if (_aead is not null)
        {
            copy.InitializeKey(_key);
            copy._nonce = _nonce;
        }

        return copy;
    }

    /// <summary>Fills all of <paramref name="output"/>: the plaintext's length + <see cref="Overhead"/>.</summary>
    public void Encrypt(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> output)
    {
        Invariant.Check(output.Length == plaintext.Length + Overhead);
        if (_aead is null)
        {
            plaintext.CopyTo(output);
            return;
        }

        Span<byte> nonce = stackalloc byte[Aead.NonceBytes];
        NextNonce(nonce);
        _aead.Encrypt(nonce, plaintext, output[..plaintext.Length], output[plaintext.Length..], associated);
    }

    /// <summary>False for a message that is too short or not authentic.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> input, Span<byte> plaintext)
    {
        if (input.Length != plaintext.Length + Overhead)
        {
            return false;
        }

        if (_aead is null)
        {
            input.CopyTo(plaintext);
            return true;
        }

        Span<byte> nonce = stackalloc byte[Aead.NonceBytes];
        NextNonce(nonce);
        return _aead.TryDecrypt(nonce, input[..plaintext.Length], input[plaintext.Length..], plaintext, associated);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_key);
        _aead?.Dispose();
    }

    // Section 12: AESGCM counts big-endian, ChaChaPoly little-endian, after four zero bytes.
    private void NextNonce(Span<byte> nonce)
    {
        nonce[..4].Clear();
        if (suite == CipherSuite.Aes256Gcm)
        {
            BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], _nonce);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], _nonce);
        }

        _nonce++;
        Invariant.Check(_nonce != 0);
    }
}
