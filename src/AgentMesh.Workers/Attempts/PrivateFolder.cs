namespace AgentMesh.Workers.Attempts;

/// <summary>Directories that only the user of the node reaches.</summary>
internal static class PrivateFolder
{
    public static void Create(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
