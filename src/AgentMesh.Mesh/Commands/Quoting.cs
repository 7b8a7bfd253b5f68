using System.Text;

namespace AgentMesh.Mesh.Commands;

/// <summary>
/// How words are written in a command line. Spaces, tabs and line ends part words. <c>'...'</c> takes everything as it is. <c>"..."</c> takes everything but
/// <c>\"</c> and <c>\\</c>. Outside quotes <c>\</c> takes the next character as it is. Nothing else is special: no variables, no globs, no pipes.
/// </summary>
public static class Quoting
{
    /// <exception cref="Errors.MeshException">AM0301 with the position of the quote that is not closed.</exception>
    public static IReadOnlyList<string> Split(string line, int start = 0)
    {
        List<string> words = [];
        int at = start;
        while (true)
        {
            while (at < line.Length && char.IsWhiteSpace(line[at]))
            {
                at++;
            }

            if (at == line.Length)
            {
                return words;
            }

            words.Add(ReadWord(line, ref at));
        }
    }

    /// <summary>The shortest safe form that <see cref="Split"/> reads back.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && !word.Any(c => char.IsWhiteSpace(c) || c is '\'' or '"' or '\\'))
        {
            return word;
        }

        return word.Contains('\'', StringComparison.Ordinal)
            ? '"' + word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"'
            : '\'' + word + '\'';
    }

    private static string ReadWord(string line, ref int at)
    {
        var word = new StringBuilder();
        while (at < line.Length && !char.IsWhiteSpace(line[at]))
        {
            char c = line[at];
            if (c is '\'' or '"')
            {
                ReadQuoted(line, ref at, word);
            }
            else if (c == '\\')
            {
                if (at + 1 == line.Length)
                {
                    throw CommandSyntax.Error(line, at, "nothing follows the backslash", "write '\\\\' for a backslash, or put the word in quotes");
                }

                word.Append(line[at + 1]);
                at += 2;
            }
            else
            {
                word.Append(c);
                at++;
            }
        }

        return word.ToString();
    }

    private static void ReadQuoted(string line, ref int at, StringBuilder word)
    {
        int open = at;
        char quote = line[at++];
        while (at < line.Length && line[at] != quote)
        {
            if (quote == '"' && line[at] == '\\' && at + 1 < line.Length && line[at + 1] is '"' or '\\')
            {
                at++;
            }

            word.Append(line[at++]);
        }

        if (at == line.Length)
        {
            throw CommandSyntax.Error(line, open, $"the quote {quote} is not closed", $"add {quote} at the end of the word, or put a backslash before it");
        }

        at++;
    }
}
