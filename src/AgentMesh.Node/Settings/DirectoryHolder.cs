using System.Diagnostics;
using System.Globalization;

namespace AgentMesh.Node.Settings;

/// <summary>Who has a data directory, seen from another process.</summary>
public static class DirectoryHolder
{
    /// <returns>The number of the process; null when nobody does.</returns>
    public static int? ProcessOf(string directory)
    {
        try
        {
            if (!int.TryParse(File.ReadAllText(Path.Combine(directory, DataDirectory.ProcessFile)), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int process) || !IsRunning(process))
            {
                return null;
            }

            return IsLocked(Path.Combine(directory, DataDirectory.LockFile)) ? process : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsLocked(string file)
    {
        try
        {
            // Shared, as the holder's lock is exclusive.
            using var probe = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
