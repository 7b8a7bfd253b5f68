using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Identity;

/// <summary>
/// The identity on disk: three lines, "agentmesh-identity-1", the seed and the public key (both unpadded base64url). Mode 0600. Where the key is not the first one of
/// the device the first line is "agentmesh-identity-2" and a fourth one the id of the device.
/// </summary>
public static class IdentityFile
{
    public const string FileName = "identity";

    /// <summary>The next key of this device, while it takes the place of the present one.</summary>
    public const string NextFileName = "identity.next";

    private const string Header = "agentmesh-identity-1";
    private const string LaterHeader = "agentmesh-identity-2";

    // Header + 2 x 43 characters + line ends; anything much longer is not ours and is not read.
    private const int MaxBytes = 512;
    private const UnixFileMode Others = (UnixFileMode)0b000_111_111;

    /// <summary>The identity in <paramref name="dataDirectory"/>, created there when there is none yet.</summary>
    /// <exception cref="MeshException">AM0102 damaged, AM0103 readable by other users, AM0104 not readable or not writable.</exception>
    public static DeviceIdentity LoadOrCreate(string dataDirectory, IEntropy entropy)
    {
        string path = Path.Combine(dataDirectory, FileName);
        return File.Exists(path) ? Load(path) : Create(path, entropy);
    }

    /// <summary>Keeps the key that is to take the place of the present one.</summary>
    /// <exception cref="MeshException">AM0104.</exception>
    public static void WriteNext(string dataDirectory, DeviceIdentity next) => Write(Path.Combine(dataDirectory, NextFileName), next, static (path, isSecret, write) => WholeFile.Write(path, isSecret, write));

    /// <returns>Null where there is none.</returns>
    /// <exception cref="MeshException">AM0102, AM0103, AM0104.</exception>
    public static DeviceIdentity? LoadNext(string dataDirectory) => Path.Combine(dataDirectory, NextFileName) is var path && File.Exists(path) ? Load(path) : null;

    /// <summary>The next key takes the place of the present one, which is overwritten; what a disk or a backup keeps besides is out of reach.</summary>
    /// <exception cref="MeshException">AM0104.</exception>
    public static void TakeNext(string dataDirectory)
    {
        string path = Path.Combine(dataDirectory, FileName);
        try
        {
            using var old = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            File.Move(Path.Combine(dataDirectory, NextFileName), path, overwrite: true);

            // Before the old key is gone: a power cut must not leave its name with nothing behind it.
            DirectorySync.Flush(dataDirectory);
            old.Write(new byte[old.Length]);
            old.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, "written", e);
        }
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

        DeviceId device = default;
        if (lines is not ([Header, _, _, ""] or [LaterHeader, _, _, _, ""]) || (lines[0] == LaterHeader && !DeviceId.TryParse(lines[3], out device)))
        {
            throw Damaged(path, $"three lines are expected, the first '{Header}', or four, the first '{LaterHeader}'");
        }

        (string seedText, string keyText) = (lines[1], lines[2]);

        Span<byte> seed = stackalloc byte[Ed25519.SeedBytes];
        if (!ExactBase64.TryDecode(seedText, seed))
        {
            throw Damaged(path, "the second line is not a key");
        }

        DeviceIdentity identity = DeviceIdentity.FromSeed(seed, device);
        CryptographicOperations.ZeroMemory(seed);
        return identity.PublicKey.ToString() == keyText ? identity : throw Damaged(path, "its two keys do not belong together");
    }

    private static DeviceIdentity Create(string path, IEntropy entropy)
    {
        DeviceIdentity identity = DeviceIdentity.Create(entropy);

        // Never over an existing file: whoever came first owns the identity of this directory.
        Write(path, identity, WholeFile.Create);
        return identity;
    }

    private static void Write(string path, DeviceIdentity identity, Action<string, bool, Action<Stream>> put)
    {
        bool isFirst = identity.PublicKey.Id == identity.Id;
        string text = $"{(isFirst ? Header : LaterHeader)}\n{Base64Url.EncodeToString(identity.Seed)}\n{identity.PublicKey}\n{(isFirst ? "" : $"{identity.Id}\n")}";
        try
        {
            put(path, true, file => file.Write(Encoding.ASCII.GetBytes(text)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, "written", e);
        }
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
