using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh;

namespace AgentMesh.Node.Webhooks;

/// <summary>The file of <c>agentmesh.cron.notify.secret-file</c>: a secret on each line, <c>whsec_BASE64</c> or plain text. Read for each message, so that a change counts at once.</summary>
internal static class WebhookSecrets
{
    /// <summary>More than one while a secret is replaced: the receiver takes either.</summary>
    public const int CountMax = 4;

    private const int BytesMin = 16;
    private const int FileBytesMax = 4_096;
    private const string Prefix = "whsec_";

    /// <param name="path">Empty for none.</param>
    /// <exception cref="MeshException">AM0638: not there, readable by others, or nothing that is a secret. It never says what stands in it.</exception>
    public static IReadOnlyList<byte[]> Read(string path)
    {
        if (path.Length == 0)
        {
            return [];
        }

        try
        {
            var file = new FileInfo(path);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
            {
                throw Wrong(path, "other users of this machine may read or change it", $"chmod 600 {path}");
            }

            if (file.Length > FileBytesMax)
            {
                throw Wrong(path, "it is too long", $"write a secret on each line, {CountMax} at most");
            }

            string[] lines = [.. File.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
            return lines.Length is > 0 and <= CountMax ? [.. lines.Select(line => SecretOf(path, line))] : throw Wrong(path, $"it has {lines.Length} secrets", $"write a secret on each line, 1 to {CountMax}: openssl rand -hex 32 > {path}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Wrong(path, error.Message, $"make one: umask 077; openssl rand -hex 32 > {path}");
        }
    }

    private static byte[] SecretOf(string path, string line)
    {
        byte[] secret = new byte[line.Length];
        if (!line.StartsWith(Prefix, StringComparison.Ordinal))
        {
            secret = Encoding.UTF8.GetBytes(line);
        }
        else
        {
            secret = Convert.TryFromBase64String(line[Prefix.Length..], secret, out int length) ? secret[..length] : throw Wrong(path, $"what follows {Prefix} is no base64", "copy it again");
        }

        return secret.Length >= BytesMin ? secret : throw Wrong(path, $"a secret in it is shorter than {BytesMin} bytes", $"make one: umask 077; openssl rand -hex 32 > {path}");
    }

    private static MeshException Wrong(string path, string what, string next) => new(MeshErrors.NotifySecret, $"the secrets of webhooks in {path} cannot be used: {what}", next);
}
