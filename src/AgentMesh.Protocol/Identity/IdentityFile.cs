using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Identity;

/// <summary>
/// The identity on disk: three lines, "agentmesh-identity-1", the seed and the public key (both unpadded base64url). Mode 0600. Written once, never changed.
/// </summary>
public static class IdentityFile
{
    public const string FileName = "identity";

    private const string Header = "agentmesh-identity-1";

    // Header + 2 x 43 characters + line ends; anything much longer is not ours and is not read.
    private const int MaxBytes = 512;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = (UnixFileMode)0b000_111_111;

    /// <summary>The identity in <paramref name="dataDirectory"/>, created there when there is none yet.</summary>
    /// <exception cref="MeshException">AM0102 damaged, AM0103 readable by other users, AM0104 not readable or not writable.</exception>
    public static DeviceIdentity LoadOrCreate(string dataDirectory, IEntropy entropy)
    {
        string path = Path.Combine(dataDirectory, FileName);
        return File.Exists(path) ? Load(path) : Create(path, entropy);
    }

    /// <exception cref="MeshException">AM0102, AM0103, AM0104.</exception>
    public static DeviceIdentity Load(string path)
    {
        string[] lines;
        try
        {
            RefuseWhenExposed(path);
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw Damaged(path, "it is too long");
            }

            lines = File.ReadAllText(path, Encoding.ASCII).Split('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, "read", e);
        }

        if (lines is not [Header, string seedText, string keyText, ""])
        {
            throw Damaged(path, $"three lines are expected, the first '{Header}'");
        }

        Span<byte> seed = stackalloc byte[Ed25519.SeedBytes];
        if (!ExactBase64.TryDecode(seedText, seed))
        {
            throw Damaged(path, "the second line is not a key");
        }

        DeviceIdentity identity = DeviceIdentity.FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return identity.PublicKey.ToString() == keyText ? identity : throw Damaged(path, "its two keys do not belong together");
    }

    private static DeviceIdentity Create(string path, IEntropy entropy)
    {
        DeviceIdentity identity = DeviceIdentity.Create(entropy);
        string text = $"{Header}\n{Base64Url.EncodeToString(identity.Seed)}\n{identity.PublicKey}\n";
        string temporary = path + ".new";
        try
        {
            File.Delete(temporary); // left over from a crash: never was an identity
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using (var file = new FileStream(temporary, options))
            {
                file.Write(Encoding.ASCII.GetBytes(text));
                file.Flush(flushToDisk: true);
            }

            // Never over an existing file: whoever came first owns the identity of this directory.
            File.Move(temporary, path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, "written", e);
        }

        return identity;
    }

    private static void RefuseWhenExposed(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // the directory's access list decides there
        }

        UnixFileMode mode = File.GetUnixFileMode(path);
        if ((mode & Others) != 0)
        {
            throw new MeshException(
                ProtocolErrors.IdentityExposed,
                $"the identity file {path} can be used by other users (mode {Convert.ToString((int)mode, 8)})",
                $"If nobody else has read it: chmod 600 '{path}'. Otherwise delete it and pair this device again.");
        }
    }

    private static MeshException Damaged(string path, string why) => new(
        ProtocolErrors.IdentityDamaged,
        $"the identity file {path} is damaged: {why}",
        "Restore it from a backup. Without one, move it away: the next start makes a new identity, and the device must be paired again.");

    private static MeshException Unusable(string path, string verb, Exception inner) => new(
        ProtocolErrors.IdentityUnreadable,
        $"the identity file {path} cannot be {verb}: {inner.Message}",
        "Check that the data directory exists and belongs to the user who runs the node.",
        inner);
}
