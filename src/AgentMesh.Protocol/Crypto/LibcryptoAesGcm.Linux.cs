using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>
/// AES-256-GCM of the OpenSSL 3 that .NET itself uses on Linux, called without the detours of the base library's class, which cost as much as the cipher itself on a packet
/// of 1,400 bytes. Used where the library is there and gives the base library's bytes.
/// </summary>
internal sealed partial class LibcryptoAesGcm : Aead
{
    private readonly Context _seal;
    private readonly Context _open;

    private LibcryptoAesGcm(ReadOnlySpan<byte> key)
    {
        _seal = Context.Create(key, encrypts: true);
        _open = Context.Create(key, encrypts: false);
    }

    private static readonly Lazy<bool> Usable = new(IsUsable);

    /// <summary>Null where the base library has to do.</summary>
    public static Aead? TryCreate(ReadOnlySpan<byte> key) => OperatingSystem.IsLinux() && Usable.Value ? new LibcryptoAesGcm(key) : null;

    public override unsafe void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associated)
    {
        Invariant.Check(nonce.Length == NonceBytes && tag.Length == TagBytes && ciphertext.Length == plaintext.Length);
        nint context = _seal.Use();
        byte none = 0;
        int length;
        fixed (byte* iv = nonce, input = plaintext, output = ciphertext, mac = tag, extra = associated)
        {
            bool isDone = EVP_EncryptInit_ex(context, 0, 0, null, iv) == 1
                && (associated.IsEmpty || EVP_EncryptUpdate(context, null, &length, extra, associated.Length) == 1)
                && (plaintext.IsEmpty || EVP_EncryptUpdate(context, output, &length, input, plaintext.Length) == 1)
                && EVP_EncryptFinal_ex(context, &none, &length) == 1
                && EVP_CIPHER_CTX_ctrl(context, GetTag, TagBytes, mac) == 1;
            Invariant.Check(isDone);
        }

        GC.KeepAlive(_seal);
    }

    public override unsafe bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated)
    {
        Invariant.Check(nonce.Length == NonceBytes && tag.Length == TagBytes && ciphertext.Length == plaintext.Length);
        nint context = _open.Use();
        byte none = 0;
        int length;
        bool isAuthentic;
        fixed (byte* iv = nonce, input = ciphertext, output = plaintext, mac = tag, extra = associated)
        {
            bool isDone = EVP_DecryptInit_ex(context, 0, 0, null, iv) == 1
                && (associated.IsEmpty || EVP_DecryptUpdate(context, null, &length, extra, associated.Length) == 1)
                && (ciphertext.IsEmpty || EVP_DecryptUpdate(context, output, &length, input, ciphertext.Length) == 1)
                && EVP_CIPHER_CTX_ctrl(context, SetTag, TagBytes, mac) == 1;
            Invariant.Check(isDone);
            isAuthentic = EVP_DecryptFinal_ex(context, &none, &length) == 1;
        }

        GC.KeepAlive(_open);
        if (!isAuthentic)
        {
            plaintext.Clear();
        }

        return isAuthentic;
    }

    public override void Dispose()
    {
        _seal.Dispose();
        _open.Dispose();
    }

    protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associated) =>
        throw new InvariantException("TryDecrypt does it");

    /// <summary>One message there and back, compared with the base library.</summary>
    private static bool IsUsable()
    {
        if (!NativeLibrary.TryLoad(Library, out _))
        {
            return false;
        }

        try
        {
            byte[] key = [.. Enumerable.Range(0, KeyBytes).Select(i => (byte)i)], nonce = new byte[NonceBytes], associated = new byte[13], plain = new byte[100];
            byte[] sealedHere = new byte[100], tagHere = new byte[TagBytes], sealedThere = new byte[100], tagThere = new byte[TagBytes], opened = new byte[100];
            using var here = new LibcryptoAesGcm(key);
            using var there = new AesGcm(key, TagBytes);
            here.Encrypt(nonce, plain, sealedHere, tagHere, associated);
            there.Encrypt(nonce, plain, sealedThere, tagThere, associated);
            bool isSame = sealedHere.AsSpan().SequenceEqual(sealedThere) && tagHere.AsSpan().SequenceEqual(tagThere);
            bool opens = here.TryDecrypt(nonce, sealedHere, tagHere, opened, associated) && opened.AsSpan().SequenceEqual(plain);
            tagHere[0] ^= 1;
            return isSame && opens && !here.TryDecrypt(nonce, sealedHere, tagHere, opened, associated);
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException or InvariantException)
        {
            return false;
        }
    }

    /// <summary>A cipher of OpenSSL with its key.</summary>
    private sealed class Context() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        public static unsafe Context Create(ReadOnlySpan<byte> key, bool encrypts)
        {
            Invariant.Check(key.Length == KeyBytes);
            var context = new Context();
            context.SetHandle(EVP_CIPHER_CTX_new());
            Invariant.Check(!context.IsInvalid);
            fixed (byte* bytes = key)
            {
                Invariant.Check(EVP_CipherInit_ex(context.handle, EVP_aes_256_gcm(), 0, bytes, null, encrypts ? 1 : 0) == 1);
            }

            return context;
        }

        public nint Use()
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }

        protected override bool ReleaseHandle()
        {
            EVP_CIPHER_CTX_free(handle);
            return true;
        }
    }
}
