using System.Collections.Immutable;
using System.Text;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Grants;

/// <summary>
/// What a device may do on another. Nothing, unless it was granted. A grant is a word, or a kind and a value:
/// <code>
/// run             start any program, anywhere, with any variables
/// run:PROGRAM     start this program: a name without '/', or a whole path
/// dir:PATH        have the programs of run:PROGRAM begin, read and write in this directory and those below
/// read:PATH       have them read and execute what is there
/// command:NAME    use this command handler, where commands need a grant; command:* is all of them
/// admin           use the control API of this device as its owner does
/// admin:read      use what of it shows something and changes nothing
/// logs, introduce
/// </code>
/// </summary>
public static class Grant
{
    /// <summary>Start programs.</summary>
    public const string Run = "run";

    /// <summary>Read the output of jobs that are at home here.</summary>
    public const string Logs = "logs";

    /// <summary>Let others into the mesh, as far as this device is concerned; counts where <see cref="Registry.Introductions.Granted"/> is asked for.</summary>
    public const string Introduce = "introduce";

    /// <summary>Use the control API of this device, and so do here all that its owner can.</summary>
    public const string Admin = "admin";

    /// <summary>Use what of the control API shows something and changes nothing.</summary>
    public const string AdminRead = "admin:read";

    /// <summary>Before the value of a grant.</summary>
    public const string RunKind = "run:", DirectoryKind = "dir:", ReadKind = "read:", CommandKind = "command:";

    /// <summary>The value of <see cref="CommandKind"/> for every command.</summary>
    public const string Every = "*";

    /// <summary>Of one device.</summary>
    public const int CountMax = 32;

    /// <summary>With its kind.</summary>
    public const int CharactersMax = 64;

    /// <summary>Of all grants of one device, in UTF-8: they stand in one entry of the registry.</summary>
    public const int BytesMax = 1_536;

    /// <summary>Those without a value.</summary>
    public static ImmutableSortedSet<string> All { get; } = ImmutableSortedSet.Create(StringComparer.Ordinal, Run, Logs, Introduce, Admin);

    /// <summary>How grants are written, for people.</summary>
    public static string Shapes => $"{string.Join(", ", All)}, {AdminRead}, run:PROGRAM, dir:/PATH, read:/PATH, command:NAME";

    /// <summary>Words and kinds in small letters, values as they are.</summary>
    /// <exception cref="MeshException">AM0332: one is none, or there are more than <see cref="CountMax"/>.</exception>
    public static ImmutableSortedSet<string> Check(IEnumerable<string> texts)
    {
        ImmutableSortedSet<string> wanted = texts.Select(text => Read(text) ?? throw Wrong(text)).ToImmutableSortedSet(StringComparer.Ordinal);
        return wanted.Count <= CountMax && wanted.Sum(Encoding.UTF8.GetByteCount) <= BytesMax
            ? wanted
            : throw new MeshException(
                MeshErrors.BadGrant, $"{wanted.Count} grants are too many: a device has {CountMax} at most, and {BytesMax} bytes of them", "grant 'run' or 'command:*' instead of many, or take some back with --revoke");
    }

    /// <returns>Null for what is no grant.</returns>
    public static string? Read(string text)
    {
        string trimmed = text.Trim();
        int colon = trimmed.IndexOf(':', StringComparison.Ordinal);
        string kind = trimmed[..(colon + 1)].ToLowerInvariant(), value = trimmed[(colon + 1)..];
        string grant = kind + value;
        return kind switch
        {
            "" => All.Contains(value.ToLowerInvariant()) ? value.ToLowerInvariant() : null,
            _ when grant.Length > CharactersMax || value.Length == 0 || value.Any(char.IsControl) => null,
            AdminKind => grant.Equals(AdminRead, StringComparison.OrdinalIgnoreCase) ? AdminRead : null,
            RunKind => !value.Contains('/', StringComparison.Ordinal) || IsWholePath(value) ? grant : null,
            DirectoryKind or ReadKind => IsWholePath(value) ? grant : null,
            CommandKind => value == Every || value.Split(' ').All(IsWord) ? grant.ToLowerInvariant() : null,
            _ => null,
        };
    }

    private const string AdminKind = Admin + ":";

    // Names of commands may have several words: "system status".
    private static bool IsWord(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static bool IsWholePath(string value) => value[0] == '/' && (value == "/" || value[1..].Split('/').All(part => part is not ("" or "." or "..")));

    private static MeshException Wrong(string text) => new(
        MeshErrors.BadGrant,
        text.Length > CharactersMax ? $"'{text}' is longer than {CharactersMax} characters" : $"'{text}' is nothing that can be granted",
        $"grants are: {Shapes}; a program is a name without '/' or a whole path, a directory a whole path without '..' and without '/' at its end");
}
