namespace AgentMesh.Workers.Processes;

/// <summary>What a path is without its links.</summary>
internal static class LinkPath
{
    private const int LinksMax = 40;

    /// <param name="path">A whole path; what is not there counts as no link.</param>
    /// <param name="mayFollow">Whether links in a directory count, which has none in its own path; null for everywhere.</param>
    /// <returns>Null where links lead in a circle, or one lies where it may not be followed.</returns>
    /// <exception cref="IOException">A link cannot be read.</exception>
    public static string? Resolve(string path, Func<string, bool>? mayFollow = null)
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

            if (++links > LinksMax || mayFollow?.Invoke(real) == false)
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
}
