using AgentMesh.Errors;

namespace AgentMesh.Mesh.Commands;

/// <summary>
/// <c>@a PROGRAM | @b PROGRAM | @c PROGRAM</c>: what each writes is what the next one reads. A bar is one where it stands outside of quotes, with a space before it, and the
/// next word begins with <c>@</c>; any other bar is a character of a command.
/// </summary>
/// <param name="Stages">At least two, at most <see cref="StagesMax"/>.</param>
public sealed record PipeLine(IReadOnlyList<CommandLine> Stages)
{
    public const int StagesMax = 16;

    public static bool IsPipe(string line) => Bars(line).Any();

    /// <exception cref="MeshException">AM0301: a stage has no command. AM0361: there are not two stages, or too many.</exception>
    public static PipeLine Parse(string line)
    {
        var stages = new List<CommandLine>();
        int from = 0;
        foreach (int bar in Bars(line).Append(line.Length))
        {
            stages.Add(CommandLine.Parse(line[from..bar]));
            from = bar + 1;
        }

        return stages.Count is >= 2 and <= StagesMax
            ? new PipeLine(stages)
            : throw new MeshException(MeshErrors.PipeSyntax, stages.Count < 2 ? "this is no pipe: there is one command" : $"a pipe has at most {StagesMax} stages, not {stages.Count}", "write: '@a PROGRAM | @b PROGRAM', a space on both sides of each bar and a device after it");
    }

    /// <summary>The line that means these words, which a shell has split.</summary>
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(word => word == "|" ? word : Quoting.Quote(word)));

    private static IEnumerable<int> Bars(string line)
    {
        char quote = '\0';
        for (int at = 0; at < line.Length; at++)
        {
            char c = line[at];
            if (quote != '\0')
            {
                at += quote == '"' && c == '\\' ? 1 : 0;
                quote = c == quote ? '\0' : quote;
            }
            else if (c is '\'' or '"')
            {
                quote = c;
            }
            else if (c == '\\')
            {
                at++;
            }
            else if (c == '|' && at > 0 && char.IsWhiteSpace(line[at - 1]) && line.AsSpan(at + 1) is { Length: > 1 } rest && char.IsWhiteSpace(rest[0]) && rest.TrimStart().StartsWith("@"))
            {
                yield return at;
            }
        }
    }
}
