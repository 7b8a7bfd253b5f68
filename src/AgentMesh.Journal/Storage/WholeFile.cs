using System.Text;

namespace AgentMesh.Journal.Storage;

/// <summary>
/// Replaces a file as a whole, wherever this process dies: who looks sees the one before or the new one. What a crash left half is beside it, under another name, and is overwritten.
/// </summary>
/// <remarks>Throws an <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be written; what was there is there still.</remarks>
public static class WholeFile
{
    /// <summary>For what may be lost with the power. UTF-8.</summary>
    /// <param name="isSecret">For nobody but the user of this process (mode 0600).</param>
    public static void Write(string path, string text, bool isSecret = false) => Replace(path, isSecret, file => file.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>On disk, under its name, when it returns.</summary>
    /// <inheritdoc cref="Write"/>
    public static void WriteDurably(string path, bool isSecret, Action<Stream> write)
    {
        Replace(path, isSecret, file =>
        {
            write(file);
            file.Flush(flushToDisk: true);
        });
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Replace(string path, bool isSecret, Action<FileStream> write)
    {
        string fresh = path + ".new";
        File.Delete(fresh); // of a crash; it may have another mode
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(fresh, options))
        {
            write(file);
        }

        File.Move(fresh, path, overwrite: true);
    }
}
