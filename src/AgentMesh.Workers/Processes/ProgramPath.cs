using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>Finds the program before it is started, so that a missing one is an error with a code and not an exit code of a shell.</summary>
internal static class ProgramPath
{
    /// <exception cref="MeshException">AM0605.</exception>
    public static string Find(string program, string directory, string path)
    {
        if (program.Contains('/', StringComparison.Ordinal))
        {
            string full = Path.GetFullPath(program, directory);
            return IsExecutable(full) ? full : throw NotFound(program, File.Exists(full) ? "it is not executable" : "there is no such file");
        }

        foreach (string each in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string full = Path.Combine(each, program);
            if (IsExecutable(full))
            {
                return full;
            }
        }

        throw NotFound(program, $"it is not in {path}");
    }

    private static bool IsExecutable(string file)
    {
        try
        {
            return File.Exists(file) && (OperatingSystem.IsWindows() ||
                (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static MeshException NotFound(string program, string why) =>
        new(WorkerErrors.ProgramNotStarted, $"'{program}' cannot be started: {why}", "name the program with its path on that device, or install it there");
}
