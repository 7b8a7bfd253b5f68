using System.Text;

namespace AgentMesh.Files;

/// <summary>
/// Replaces a file as a whole and durably: whenever this process dies or the power goes, who looks sees the one before or the new one, and the new one from the moment that the call returns.
/// </summary>
/// <remarks>
/// The new content is written beside, as <c>NAME.RANDOM.new</c>, so that processes that write the same file at once do not write into each other's; the last one stays. What a crash left there is
/// removed by a later write of that name. Every call throws an <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where the file cannot be written (there is no directory, the disk
/// is full): what was there is there still, and nothing is beside it.
/// </remarks>
public static class WholeFile
{
    private const string Extension = ".new";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What is older is of a crash. Were it not, its writer would fail, no more.</summary>
    private static readonly TimeSpan LeftoverAfter = TimeSpan.FromMinutes(1);

    /// <param name="text">Written as UTF-8 without a byte order mark.</param>
    /// <param name="isSecret">For nobody but the user of this process (mode 0600; on Windows the access list of the directory decides). Otherwise as the umask has it.</param>
    public static void Write(string path, string text, bool isSecret = false) => Write(path, isSecret, file => file.Write(Encoding.UTF8.GetBytes(text)));

    /// <param name="write">Called once; what it throws comes out, and then nothing is replaced.</param>
    /// <param name="sweeps">False in a directory of many files, through which each write would go, and whose owner removes what a crash left there.</param>
    /// <inheritdoc cref="Write(string, string, bool)"/>
    public static void Write(string path, bool isSecret, Action<Stream> write, bool sweeps = true) => Put(path, isSecret, replaces: true, sweeps, write);

    /// <summary>Never over a file that is there, whoever made it and when: then it throws an <see cref="IOException"/>.</summary>
    /// <inheritdoc cref="Write(string, bool, Action{Stream}, bool)"/>
    public static void Create(string path, bool isSecret, Action<Stream> write) => Put(path, isSecret, replaces: false, sweeps: true, write);

    private static void Put(string path, bool isSecret, bool replaces, bool sweeps, Action<Stream> write)
    {
        path = Path.GetFullPath(path);
        string fresh = $"{path}.{Guid.NewGuid():N}{Extension}";
        try
        {
            using (var file = new FileStream(fresh, OptionsOf(isSecret)))
            {
                if (sweeps)
                {
                    RemoveLeftovers(path, File.GetLastWriteTimeUtc(fresh));
                }

                write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, replaces);
        }
        catch
        {
            TryDelete(fresh);
            throw;
        }

        DirectorySync.Flush(Path.GetDirectoryName(path)!);
    }

    private static FileStreamOptions OptionsOf(bool isSecret)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (isSecret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return options;
    }

    /// <param name="now">As the file system has it.</param>
    private static void RemoveLeftovers(string path, DateTime now)
    {
        try
        {
            string name = Path.GetFileName(path);
            foreach (string left in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "*" + Extension).Where(file => IsFresh(Path.GetFileName(file), name)).ToArray())
            {
                if (now - File.GetLastWriteTimeUtc(left) > LeftoverAfter)
                {
                    File.Delete(left);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // They take room, nothing else; the next time.
        }
    }

    private static bool IsFresh(string file, string name) =>
        file.StartsWith(name + ".", StringComparison.Ordinal) && file.Length > name.Length + Extension.Length
        && Guid.TryParseExact(file.AsSpan(name.Length + 1, file.Length - name.Length - 1 - Extension.Length), "N", out _);

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What failed before is what counts.
        }
    }
}
