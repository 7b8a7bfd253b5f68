using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Cli.Sec;

/// <summary>
/// A pairing invitation in a file that only a passphrase opens: JSON around AES-256-GCM, the key from PBKDF2 with HMAC-SHA256 over the passphrase in UTF-8. docs/protocol/sec-v2.md. No I/O.
/// </summary>
internal sealed class SecFile
{
    public const string Version = "2.0";
    public const string Algorithm = "AES-256-GCM";

    /// <summary>A real one has about 2 KiB.</summary>
    public const int BytesMax = 64 * 1024;

    /// <summary>As OWASP recommends for PBKDF2 with HMAC-SHA256.</summary>
    public const int IterationsMin = 600_000;

    /// <summary>Some seconds of work: a file from elsewhere must not make this device compute for as long as it likes.</summary>
    public const int IterationsMax = 5_000_000;

    private const int SaltBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int KeyBytes = 32;

    private readonly byte[] _salt;
    private readonly byte[] _nonce;
    private readonly byte[] _tag;
    private readonly byte[] _ciphertext;

    private SecFile(byte[] salt, byte[] nonce, byte[] tag, byte[] ciphertext, int iterations)
    {
        _salt = salt;
        _nonce = nonce;
        _tag = tag;
        _ciphertext = ciphertext;
        Iterations = iterations;
    }

    public int Iterations { get; }

    public int ContentBytes => _ciphertext.Length;

    public static byte[] Seal(SecContent content, string passphrase, IEntropy entropy, int iterations = IterationsMin)
    {
        Invariant.Check(iterations is >= IterationsMin and <= IterationsMax);
        byte[] salt = new byte[SaltBytes], nonce = new byte[NonceBytes], tag = new byte[TagBytes];
        entropy.Fill(salt);
        entropy.Fill(nonce);
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(content, SecJson.Default.SecContent);
        byte[] ciphertext = new byte[plain.Length];
        byte[] key = KeyOf(passphrase, salt, iterations);
        using (var aes = new AesGcm(key, TagBytes))
        {
            aes.Encrypt(nonce, plain, ciphertext, tag);
        }

        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(plain);
        var outer = new SecOuter(Version, Convert.ToBase64String(salt), Convert.ToBase64String(nonce), Convert.ToBase64String(ciphertext), Convert.ToBase64String(tag), Algorithm, iterations);
        return [.. JsonSerializer.SerializeToUtf8Bytes(outer, SecJson.Default.SecOuter), (byte)'\n'];
    }

    /// <exception cref="MeshException">AM0143: it is not a .sec file, or not whole. AM0149: of a version or with bounds that are not taken.</exception>
    public static SecFile Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
        {
            throw Malformed($"it has {bytes.Length} bytes; no .sec file has more than {BytesMax}");
        }

        SecOuter? outer = Parse(bytes);
        if (outer is not { Version: not null, Salt: not null, Iv: not null, Ciphertext: not null, Tag: not null, Algorithm: not null })
        {
            throw Malformed("it is no JSON object with version, salt, iv, ciphertext, tag, algorithm and iterations");
        }

        if (outer.Version != Version || outer.Algorithm != Algorithm)
        {
            throw Unsupported($"it is of another kind than version {Version} with {Algorithm}", "make it with the same version of agentmesh on both devices");
        }

        if (outer.Iterations is < IterationsMin or > IterationsMax)
        {
            throw Unsupported(
                $"it asks for {outer.Iterations} iterations; {IterationsMin} to {IterationsMax} are taken: fewer protect nothing, more would only keep this device busy", "make a new file with 'agentmesh sec create'");
        }

        return TryBytes(outer.Salt, SaltBytes, out byte[]? salt) && TryBytes(outer.Iv, NonceBytes, out byte[]? nonce) && TryBytes(outer.Tag, TagBytes, out byte[]? tag) && TryBytes(outer.Ciphertext, null, out byte[]? ciphertext)
            ? new SecFile(salt, nonce, tag, ciphertext, outer.Iterations)
            : throw Malformed("one of its parts is no base64 or has the wrong length");
    }

    /// <exception cref="MeshException">AM0144: another passphrase, or it was altered. AM0143: what is inside is nothing that pairs.</exception>
    public SecContent Open(string passphrase)
    {
        byte[] key = KeyOf(passphrase, _salt, Iterations);
        byte[] plain = new byte[_ciphertext.Length];
        try
        {
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(_nonce, _ciphertext, _tag, plain);
            return JsonSerializer.Deserialize(plain, SecJson.Default.SecContent) ?? throw Malformed("there is nothing in it");
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new MeshException(
                CliErrors.SecPassphrase, "the passphrase does not open this file, or the file was altered", "type the passphrase again; if it is right, have the file made and sent again");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw Malformed("what is inside is not what 'agentmesh sec create' writes");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    internal static MeshException Malformed(string why) => new(CliErrors.SecMalformed, $"this is not a whole .sec file: {why}", "have it made and sent again: 'agentmesh sec create' on the inviting device");

    private static MeshException Unsupported(string why, string next) => new(CliErrors.SecUnsupported, $"this .sec file is not taken: {why}", next);

    private static SecOuter? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, SecJson.Default.SecOuter);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Strings that are no text are found only where they are read.
            return null;
        }
    }

    private static bool TryBytes(string text, int? size, [NotNullWhen(true)] out byte[]? bytes)
    {
        byte[] buffer = new byte[text.Length];
        bool good = Convert.TryFromBase64String(text, buffer, out int written) && written > 0 && (size is null || written == size);
        bytes = good ? buffer[..written] : null;
        return good;
    }

    private static byte[] KeyOf(string passphrase, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase.Normalize(NormalizationForm.FormC)), salt, iterations, HashAlgorithmName.SHA256, KeyBytes);
}
