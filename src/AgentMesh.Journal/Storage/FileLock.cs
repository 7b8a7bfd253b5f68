using System.Globalization;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Storage;

/// <summary>
/// A lock file that one process at a time holds; the operating system releases it when the process ends, however it ends.
/// Beside it <c>NAME.pid</c> names the holder, for the message to whoever comes second (the locked file itself cannot be read by others everywhere).
/// </summary>
public sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <param name="path">Path of the lock file; created when absent.</param>
    /// <param name="what">What is protected, for the error message, e.g. <c>the journal /data/journal.db</c>.</param>
    /// <exception cref="MeshException"><c>AM0401</c> when another process (or another store in this one) holds it, <c>AM0407</c> when it cannot be written.</exception>
    public static FileLock Acquire(string path, string what)
    {
        string pidPath = path + ".pid";
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException || (e is IOException io && IsReadOnly(io)))
        {
            throw new MeshException(JournalErrors.ReadOnly, $"{what} cannot be locked: {e.Message}", "give the user that runs the node write access to the data directory, or choose another one", e);
        }
        catch (IOException e)
        {
            string holder = ReadHolder(pidPath);
            throw new MeshException(
                JournalErrors.Locked,
                $"{what} is in use by {holder}",
                "stop that node first (agentmesh down), or start this one with another data directory",
                e);
        }

        try
        {
            File.WriteAllText(pidPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only the name of the holder is lost; the lock itself stands.
            _ = e;
        }

        return new FileLock(file);
    }

    public void Dispose() => _file.Dispose();

    // EROFS (30); sharing violations have other numbers.
    private static bool IsReadOnly(IOException e) => OperatingSystem.IsLinux() && e.HResult == 30;

    private static string ReadHolder(string pidPath)
    {
        try
        {
            string pid = File.ReadAllText(pidPath).Trim();
            return pid.Length == 0 ? "another process" : $"process {pid}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
