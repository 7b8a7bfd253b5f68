namespace AgentMesh.Journal.Storage;

/// <summary>
/// Replaces a file as a whole, wherever this process dies: who looks sees the one before or the new one. What a crash left half is beside it, under another name, and is overwritten.
/// </summary>
/// <remarks>Throws an <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be written; what was there is there still.</remarks>
public static class WholeFile
{
    private const string Fresh = ".new";

    /// <summary>For what may be lost with the power.</summary>
    public static void Write(string path, string text)
    {
        File.WriteAllText(path + Fresh, text);
        File.Move(path + Fresh, path, overwrite: true);
    }

    /// <summary>On disk, under its name, when it returns.</summary>
    /// <param name="isSecret">For nobody but the user of this process (mode 0600).</param>
    public static void WriteDurably(string path, bool isSecret, Action<Stream> write)
    {
        File.Delete(path + Fresh); // of a crash; it may have another mode
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(path + Fresh, options))
        {
            write(file);
            file.Flush(flushToDisk: true);
        }

        File.Move(path + Fresh, path, overwrite: true);
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
