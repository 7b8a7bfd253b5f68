using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>Where a program begins that was told to begin somewhere.</summary>
public static class ProgramDirectory
{
    private const int LinksMax = 40;

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
            return Resolve(Path.GetFullPath(path, common)) is { } real && Directory.Exists(real) ? real : throw Missing(wanted, "there is no such directory");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Missing(wanted, error.Message);
        }
    }

    /// <returns>Null where links lead in a circle.</returns>
    private static string? Resolve(string path)
    {
        string root = Path.GetPathRoot(path)!;
        string real = root;
        var left = new Stack<string>(Parts(path, root).Reverse());
        for (int links = 0; left.TryPop(out string? part);)
        {
            string next = Path.GetFullPath(part, real);
            if (new DirectoryInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > LinksMax)
            {
                return null;
            }

            // A target counts from where the link is, and may have links itself.
            string whole = Path.GetFullPath(target, real);
            foreach (string each in Parts(whole, root).Reverse())
            {
                left.Push(each);
            }

            real = root;
        }

        return real;
    }

    private static IEnumerable<string> Parts(string path, string root) => path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);

    private static MeshException Missing(string wanted, string why) => new(WorkerErrors.NoDirectory, $"a program cannot begin in '{wanted}': {why}", "make the directory on that device, or name another with --dir");
}
