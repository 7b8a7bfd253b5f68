using AgentMesh.Errors;

namespace AgentMesh.Workers.Processes;

/// <summary>The shell that the user of this process gets after a login, as the list of users says.</summary>
internal static class LoginShell
{
    private const string Users = "/etc/passwd";
    private const string Otherwise = "/bin/sh";

    /// <returns>The shell with its arguments, and the directory to start in: the user's own, or <paramref name="otherwise"/>.</returns>
    public static (IReadOnlyList<string> Words, string Directory) Find(string otherwise) => Find(ReadUsers(), Environment.UserName, Environment.GetEnvironmentVariable("SHELL"), otherwise);

    /// <param name="users">Lines of name, password, number, group, comment, directory and shell with colons between.</param>
    /// <param name="shell">What the environment says, where the list has none.</param>
    internal static (IReadOnlyList<string> Words, string Directory) Find(IEnumerable<string> users, string user, string? shell, string otherwise)
    {
        string[]? fields = users.Select(line => line.Split(':')).FirstOrDefault(each => each.Length == 7 && each[0] == user);
        string found = new[] { fields?[6], shell, Otherwise }.First(each => !string.IsNullOrWhiteSpace(each) && File.Exists(each))
            ?? throw new MeshException(WorkerErrors.ProgramNotStarted, "this device has no shell", "install one as /bin/sh");
        string home = fields?[5] ?? Environment.GetEnvironmentVariable("HOME") ?? "";
        return ([found, "-l"], Directory.Exists(home) ? home : otherwise);
    }

    private static IEnumerable<string> ReadUsers()
    {
        try
        {
            return File.ReadLines(Users);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
