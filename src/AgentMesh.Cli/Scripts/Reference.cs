namespace AgentMesh.Cli.Scripts;

/// <summary>A place in a line where a variable is named.</summary>
/// <param name="Start">Of the <c>$</c>.</param>
/// <param name="Length">With the <c>$</c> and the braces.</param>
/// <param name="IsQuoted">Between double quotes.</param>
internal readonly record struct Reference(string Name, int Start, int Length, bool IsQuoted)
{
    public static IEnumerable<Reference> In(string line)
    {
        bool isQuoted = false;
        for (int at = 0; at < line.Length; at++)
        {
            switch (line[at])
            {
                case '\\':
                    at++;
                    break;
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '\'' when !isQuoted && line.IndexOf('\'', at + 1) is > 0 and var end:
                    at = end;
                    break;
                case '$' when Read(line, at, isQuoted) is { } found:
                    yield return found;
                    at += found.Length - 1;
                    break;
            }
        }
    }

    public static bool IsName(ReadOnlySpan<char> text) => !text.IsEmpty && IsFirst(text[0]) && text.IndexOfAnyExcept(NameCharacters) < 0;

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static bool IsFirst(char c) => char.IsAsciiLetter(c) || c == '_';

    private static Reference? Read(string line, int at, bool isQuoted)
    {
        ReadOnlySpan<char> rest = line.AsSpan(at + 1);
        if (rest is ['?', ..] or [>= '1' and <= '9', ..])
        {
            return new Reference(rest[..1].ToString(), at, 2, isQuoted);
        }

        bool hasBraces = rest is ['{', ..];
        ReadOnlySpan<char> name = hasBraces ? rest[1..] : rest;
        int end = name.IndexOfAnyExcept(NameCharacters);
        name = end < 0 ? name : name[..end];
        bool isWhole = !hasBraces || (end >= 0 && rest[1 + end] == '}');
        bool isNumber = hasBraces && name is [>= '1' and <= '9'];
        return isWhole && (IsName(name) || isNumber) ? new Reference(name.ToString(), at, 1 + name.Length + (hasBraces ? 2 : 0), isQuoted) : null;
    }
}
