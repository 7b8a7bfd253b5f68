using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>Where a program begins that was told to begin somewhere.</summary>
public static class ProgramDirectory
{
    /// <param name="wanted">A whole path, or one that counts from <paramref name="common"/>; <c>~</c> is the home of this process's user. Null for <paramref name="common"/>.</param>
    /// <param name="common">The directory in which programs begin otherwise.</param>
    /// <returns>The whole path, with every link resolved.</returns>
    /// <exception cref="MeshException">AM0628: there is no such directory.</exception>
    public static string Find(string? wanted, string common)
    {
        if (wanted is null)
        {
            return common;
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string path = wanted == "~" ? home : wanted.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, wanted[2..]) : wanted;
        try
        {
            return LinkPath.Resolve(Path.GetFullPath(path, common)) is { } real && Directory.Exists(real) ? real : throw Missing(wanted, "there is no such directory");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Missing(wanted, error.Message);
        }
    }

    private static MeshException Missing(string wanted, string why) => new(WorkerErrors.NoDirectory, $"a program cannot begin in '{wanted}': {why}", "make the directory on that device, or name another with --dir");
}
