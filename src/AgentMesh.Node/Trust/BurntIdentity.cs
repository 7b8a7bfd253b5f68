using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Node.Links;
using AgentMesh.Node.Pairing;
using AgentMesh.Node.Reach;
using AgentMesh.Mesh.Registry;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Trust;

/// <summary>
/// An identity whose key was given up: a mark says so from the beginning, so that whatever happens in between the next start makes a new one. What belonged to the old identity goes
/// into a directory beside, without its key; nothing there is used again.
/// </summary>
internal static class BurntIdentity
{
    public const string MarkName = "identity-burnt";

    /// <summary>Settings, CRON.md, logs and the audit trail are not the identity's: they stay.</summary>
    private static readonly string[] Goes =
    [
        DeviceRegistry.FileName, DeviceRegistry.ForkFileName, "devices.json", StampFile.FileName, BeaconFile.FileName, InvitationFile.FileName, "output", "spool", "work", "artifacts", "cron-file.applied",
        ConnectionHistory.FileName, ConnectionHistory.OlderFileName,
    ];

    /// <summary>The database and what stands beside it.</summary>
    private const string JournalPattern = "journal.db*";

    /// <returns>Where its data will be.</returns>
    /// <exception cref="MeshException">AM0150: nothing can be written there.</exception>
    public static string Mark(string root, DeviceId old, DateTimeOffset now)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"burnt-{now:yyyyMMdd-HHmmss}-{old.ToString()[..8]}");
        try
        {
            WholeFile.Write(Path.Combine(root, MarkName), name);
            return Path.Combine(root, name);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotDone(root, error);
        }
    }

    /// <summary>Overwritten, then deleted; what a disk or a backup keeps besides is out of reach.</summary>
    /// <exception cref="MeshException">AM0150.</exception>
    public static void DestroyKey(string root)
    {
        try
        {
            foreach (string path in new[] { IdentityFile.FileName, IdentityFile.NextFileName }.Select(name => Path.Combine(root, name)).Where(File.Exists))
            {
                using (FileStream file = File.OpenWrite(path))
                {
                    file.Write(new byte[file.Length]);
                    file.Flush(flushToDisk: true);
                }

                File.Delete(path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotDone(root, error);
        }
    }

    /// <summary>At the start, before anything is opened.</summary>
    /// <returns>Where the old data is; null where no identity was given up.</returns>
    /// <exception cref="MeshException">AM0150.</exception>
    public static string? Replace(string root)
    {
        string mark = Path.Combine(root, MarkName);
        if (!File.Exists(mark))
        {
            return null;
        }

        DestroyKey(root);
        try
        {
            // The name is our own; whatever else stands there does not lead out of the directory.
            string name = File.ReadAllText(mark) is { Length: > 6 and < 64 } text && text.StartsWith("burnt-", StringComparison.Ordinal) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? text : "burnt-identity";
            string old = Path.Combine(root, name);
            PrivateDirectory.Create(old);
            foreach (string each in Goes.Concat(Directory.EnumerateFileSystemEntries(root, JournalPattern).Select(path => Path.GetFileName(path)!)).ToArray())
            {
                string from = Path.Combine(root, each), to = Path.Combine(old, each);
                if (Directory.Exists(from))
                {
                    Directory.Move(from, to);
                }
                else if (File.Exists(from))
                {
                    File.Move(from, to, overwrite: true);
                }
            }

            File.Delete(mark);
            return old;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotDone(root, error);
        }
    }

    private static MeshException NotDone(string root, Exception error) => new(
        TrustErrors.NotBurnt, $"the identity in {root} could not be given up: {error.Message}", "see that the directory can be written and has free space, then repeat it; or move the directory away", error);
}
