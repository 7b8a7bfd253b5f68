using System.Reflection;
using System.Runtime.InteropServices;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Crypto;

/// <summary>The libsodium functions in use. Callers go through <see cref="X25519"/> and <see cref="Ed25519"/>, which check sizes.</summary>
internal static partial class Sodium
{
    private const string Library = "agentmesh-sodium";

    // 23 and 26 are the sonames of libsodium 1.0.12..1.0.18 and of 1.0.19 and later; both have every function used here,
    // except that ristretto255 came with 1.0.18: see HasRistretto.
    private static readonly string[] Names = ["libsodium.so.23", "libsodium.so.26", "libsodium.so", "libsodium.dylib", "libsodium.dll", "libsodium"];

    private static readonly Lock Gate = new();
    private static volatile bool s_ready;
    private static nint s_handle;

    /// <summary>Loads and initialises the library once.</summary>
    /// <exception cref="MeshException">AM0101: there is no libsodium on this machine.</exception>
    public static void Require()
    {
        if (!s_ready)
        {
            Load();
        }
    }

    /// <summary>Known after <see cref="Require"/>.</summary>
    public static bool HasRistretto { get; private set; }

    private static void Load()
    {
        lock (Gate)
        {
            if (s_ready)
            {
                return;
            }

            s_handle = Find(typeof(Sodium).Assembly, Names);
            NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, (name, _, _) => name == Library ? s_handle : 0);
            if (sodium_init() < 0)
            {
                throw Missing("libsodium was found but refused to start");
            }

            HasRistretto = NativeLibrary.TryGetExport(s_handle, nameof(crypto_core_ristretto255_from_hash), out _)
                && NativeLibrary.TryGetExport(s_handle, nameof(crypto_scalarmult_ristretto255), out _);
            s_ready = true;
        }
    }

    /// <summary>The first of <paramref name="names"/> that loads. Separate so that the error can be tested.</summary>
    internal static nint Find(Assembly assembly, IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, assembly, DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory, out nint handle))
            {
                return handle;
            }
        }

        throw Missing($"libsodium was not found (tried {string.Join(", ", names)})");
    }

    private static MeshException Missing(string message) => new(
        ProtocolErrors.SodiumMissing,
        message,
        "Install it: on Debian and Ubuntu 'sudo apt-get install libsodium23', on macOS 'brew install libsodium', on Windows put libsodium.dll beside the program.");

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    public static partial nint sodium_version_string();

    [LibraryImport(Library)]
    public static partial int crypto_scalarmult_curve25519(Span<byte> shared, ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey);

    [LibraryImport(Library)]
    public static partial int crypto_scalarmult_curve25519_base(Span<byte> publicKey, ReadOnlySpan<byte> privateKey);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_seed_keypair(Span<byte> publicKey, Span<byte> secretKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_detached(Span<byte> signature, nint signatureLength, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> secretKey);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_verify_detached(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> publicKey);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_pk_to_curve25519(Span<byte> x25519Public, ReadOnlySpan<byte> ed25519Public);

    [LibraryImport(Library)]
    public static partial int crypto_sign_ed25519_sk_to_curve25519(Span<byte> x25519Private, ReadOnlySpan<byte> ed25519Secret);

    [LibraryImport(Library)]
    public static partial int crypto_stream_chacha20_ietf_xor_ic(Span<byte> output, ReadOnlySpan<byte> input, ulong length, ReadOnlySpan<byte> nonce, uint counter, ReadOnlySpan<byte> key);

    [LibraryImport(Library)]
    public static partial int crypto_pwhash_argon2id(
        Span<byte> output, ulong outputLength, ReadOnlySpan<byte> password, ulong passwordLength, ReadOnlySpan<byte> salt, ulong passes, nuint memoryBytes, int algorithm);

    [LibraryImport(Library)]
    public static partial int crypto_core_ristretto255_from_hash(Span<byte> element, ReadOnlySpan<byte> hash);

    [LibraryImport(Library)]
    public static partial void crypto_core_ristretto255_scalar_reduce(Span<byte> scalar, ReadOnlySpan<byte> wide);

    [LibraryImport(Library)]
    public static partial int crypto_scalarmult_ristretto255(Span<byte> product, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> element);
}
