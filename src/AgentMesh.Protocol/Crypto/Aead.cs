using System.Security.Cryptography;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>One AEAD key, set up once and used for many messages. Not thread-safe. Plaintext and ciphertext may be the same span.</summary>
internal abstract class Aead : IDisposable
{
    public const int KeyBytes = 32;
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    public static Aead Create(CipherSuite suite, ReadOnlySpan<byte> key) => suite switch
    {
        CipherSuite.Aes256Gcm => LibcryptoAesGcm.TryCreate(key) ?? new AesGcmAead(key),
        CipherSuite.ChaCha20Poly1305 => new ChaChaAead(key),
        _ => throw new InvariantException($"no cipher suite {suite}"),
    };

    public abstract void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associated);

    /// <summary>False when the tag does not match; <paramref name="plaintext"/> is zeroed then.</summary>
    public virtual bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated)
    {
        try
        {
            Decrypt(nonce, ciphertext, tag, plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false; // the base library has no other way to say it
        }
    }

    public abstract void Dispose();

    protected abstract void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated);

    private sealed class AesGcmAead(ReadOnlySpan<byte> key) : Aead
    {
        private readonly AesGcm _cipher = new(key, TagBytes);

        public override void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associated) =>
            _cipher.Encrypt(nonce, plaintext, ciphertext, tag, associated);

        public override void Dispose() => _cipher.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated) =>
            _cipher.Decrypt(nonce, ciphertext, tag, plaintext, associated);
    }

    private sealed class ChaChaAead(ReadOnlySpan<byte> key) : Aead
    {
        private readonly ChaCha20Poly1305 _cipher = new(key);

        public override void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associated) =>
            _cipher.Encrypt(nonce, plaintext, ciphertext, tag, associated);

        public override void Dispose() => _cipher.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated) =>
            _cipher.Decrypt(nonce, ciphertext, tag, plaintext, associated);
    }
}
