namespace AgentMesh.Node.Settings;

/// <summary>Directories that hold keys, output and journals: nobody but their user may look into them.</summary>
public static class PrivateDirectory
{
    /// <summary>Mode 0700; a directory that is there keeps the mode that its owner gave it. On Windows the profile's own rules apply.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
