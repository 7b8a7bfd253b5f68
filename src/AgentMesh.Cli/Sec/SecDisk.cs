using AgentMesh.Errors;
using AgentMesh.Files;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Sec;

/// <summary>.sec files on disk: the directory is for its user alone (0700), and so is each file (0600).</summary>
internal static class SecDisk
{
    public const string Extension = ".sec";

    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <exception cref="MeshException">AM0142: there is none, or it cannot be read. AM0143: it is too long.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[SecFile.BytesMax + 1];
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return read <= SecFile.BytesMax ? bytes[..read] : throw SecFile.Malformed($"it has more than {SecFile.BytesMax} bytes");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(CliErrors.SecUnreadable, $"{path} cannot be read: {error.Message}", "name the file that 'agentmesh sec create' made on the other device", error);
        }
    }

    /// <summary>In one step: who looks sees the file before or this one.</summary>
    /// <exception cref="MeshException">AM0147: it cannot be written.</exception>
    public static void Write(string path, byte[] bytes)
    {
        try
        {
            PrivateDirectory.Create(Path.GetDirectoryName(Path.GetFullPath(path))!);
            WholeFile.Write(path, isSecret: true, file => file.Write(bytes));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(CliErrors.SecNotWritten, $"{path} cannot be written: {error.Message}", "name another file with --out, or look at the permissions of its directory", error);
        }
    }

    /// <summary>Nobody can use what is older than a day; whoever finds it learns nothing more from it.</summary>
    public static void Sweep(string directory, DateTimeOffset now)
    {
        try
        {
            foreach (string old in Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*" + Extension).Where(file => now - File.GetLastWriteTimeUtc(file) > KeptFor).ToArray() : [])
            {
                File.Delete(old);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // They are of no use to anybody; the next time.
        }
    }

    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is used up: nobody can join by it.
        }
    }
}
