using System.Runtime.InteropServices;

namespace AgentMesh.Protocol.Crypto;

/// <summary>The functions of OpenSSL 3 in use. Those that take well under a microsecond are called without telling the garbage collector.</summary>
internal sealed partial class LibcryptoAesGcm
{
    private const string Library = "libcrypto.so.3";

    // EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG
    private const int GetTag = 0x10;
    private const int SetTag = 0x11;

    [LibraryImport(Library)]
    private static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(Library)]
    private static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial nint EVP_aes_256_gcm();

    [LibraryImport(Library)]
    private static unsafe partial int EVP_CipherInit_ex(nint context, nint type, nint engine, byte* key, byte* iv, int encrypts);

    [LibraryImport(Library), SuppressGCTransition]
    private static unsafe partial int EVP_EncryptInit_ex(nint context, nint type, nint engine, byte* key, byte* iv);

    [LibraryImport(Library)]
    private static unsafe partial int EVP_EncryptUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);

    [LibraryImport(Library), SuppressGCTransition]
    private static unsafe partial int EVP_EncryptFinal_ex(nint context, byte* output, int* outputLength);

    [LibraryImport(Library), SuppressGCTransition]
    private static unsafe partial int EVP_DecryptInit_ex(nint context, nint type, nint engine, byte* key, byte* iv);

    [LibraryImport(Library)]
    private static unsafe partial int EVP_DecryptUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);

    [LibraryImport(Library), SuppressGCTransition]
    private static unsafe partial int EVP_DecryptFinal_ex(nint context, byte* output, int* outputLength);

    [LibraryImport(Library), SuppressGCTransition]
    private static unsafe partial int EVP_CIPHER_CTX_ctrl(nint context, int type, int argument, byte* pointer);
}
