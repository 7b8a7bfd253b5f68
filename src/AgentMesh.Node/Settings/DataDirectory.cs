using System.Globalization;
using AgentMesh.Errors;

namespace AgentMesh.Node.Settings;

/// <summary>
/// The directory of one device, private to its user and locked for as long as this object lives: a device has one running node, so its
/// journal has one writer.
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    public const string LockFile = "node.lock";

    /// <summary>The number of the process that has the lock.</summary>
    public const string ProcessFile = "node.pid";

    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream held)
    {
        Root = path;
        _lock = held;
    }

    public string Root { get; }

    public string this[string name] => Path.Combine(Root, name);

    /// <exception cref="MeshException">AM0205 another node holds it; AM0206 it cannot be created or written.</exception>
    public static DataDirectory Open(string path, int processId)
    {
        FileStream? held = null;
        try
        {
            PrivateDirectory.Create(path);
            string file = Path.Combine(path, LockFile);
            try
            {
                held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException error) when (error is not PathTooLongException and not DirectoryNotFoundException and not FileNotFoundException)
            {
                string owner = ReadOwner(path);
                throw new MeshException(
                    NodeErrors.DataDirectoryInUse,
                    $"the data directory {path} is in use by a running node{owner}",
                    "stop it with 'agentmesh down', or choose another directory with --data-dir",
                    error);
            }

            // The lock file cannot be read by others on Windows, so the process id stands beside it.
            File.WriteAllText(Path.Combine(path, ProcessFile), processId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new DataDirectory(path, held);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            held?.Dispose();
            throw new MeshException(
                NodeErrors.DataDirectoryUnusable,
                $"the data directory {path} cannot be used: {error.Message}",
                "check its owner, its permissions and the free space, or choose another with --data-dir",
                error);
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(this[ProcessFile]);
        }
        catch (IOException)
        {
            // A stale number does no harm: the lock decides.
        }

        _lock.Dispose();
    }

    private static string ReadOwner(string path)
    {
        try
        {
            return $" (process {File.ReadAllText(Path.Combine(path, ProcessFile)).Trim()})";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
