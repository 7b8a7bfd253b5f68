using System.Security.Cryptography;
using System.Text;

namespace AgentMesh.Node.Control;

/// <summary>Where the control socket of a data directory is.</summary>
public static class ControlSocketPath
{
    /// <summary>sun_path holds 108 bytes on Linux and 104 on macOS, with a terminating zero.</summary>
    private const int PathBytesMax = 103;

    /// <summary>
    /// <c>control.sock</c> in the data directory; where that path is too long for a Unix socket, a name derived from it in the user's
    /// runtime directory, which node and client compute alike.
    /// </summary>
    public static string For(string dataDirectory)
    {
        string path = Path.Combine(dataDirectory, "control.sock");
        if (Encoding.UTF8.GetByteCount(path) <= PathBytesMax)
        {
            return path;
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..16];
        string runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } given ? given : Path.GetTempPath();
        return Path.Combine(runtime, $"agentmesh-{Environment.UserName}-{hash}", "control.sock");
    }
}
