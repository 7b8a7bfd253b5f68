namespace AgentMesh.Cli.Repl;

/// <summary>Names of files for what is typed of a path.</summary>
internal static class FileNames
{
    private const int Max = 200;

    /// <summary>Directories end with '/'. Hidden ones come for a word with a dot only, and names that a line would have to quote do not come.</summary>
    public static IReadOnlyList<string> Beginning(string word)
    {
        string typed = word[..(word.LastIndexOf('/') + 1)], name = word[typed.Length..];
        string directory = typed.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), typed[2..]) : typed.Length == 0 ? "." : typed;
        try
        {
            return
            [
                .. new DirectoryInfo(directory).EnumerateFileSystemInfos()
                    .Where(each => each.Name.StartsWith(name, StringComparison.Ordinal) && (name.StartsWith('.') || !each.Name.StartsWith('.')) && !each.Name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '\'' or '"' or '\\'))
                    .Take(Max)
                    .Select(each => typed + each.Name + (each.Attributes.HasFlag(FileAttributes.Directory) ? "/" : "")),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return [];
        }
    }
}
