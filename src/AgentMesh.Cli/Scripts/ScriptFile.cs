using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Cli.Scripts;

/// <summary>A script, read whole and looked at before any of it runs. Format: docs/scripts.md.</summary>
internal static class ScriptFile
{
    public const int BytesMax = 1024 * 1024;

    /// <param name="file">What errors call it.</param>
    /// <param name="known">Variables that it has from the start.</param>
    /// <exception cref="MeshException">AM0225 with file, line and column.</exception>
    public static IReadOnlyList<ScriptLine> Read(string file, string text, Variables known)
    {
        var lines = new List<ScriptLine>();
        var names = new HashSet<string>(known.Names, StringComparer.Ordinal);
        foreach ((int number, string joined) in Joined(text))
        {
            string trimmed = joined.Trim();
            if (trimmed.Length == 0 || trimmed.StartsWith('#'))
            {
                continue;
            }

            ScriptLine line = ScriptLine.Read(number, trimmed);
            Check(file, joined, line, names, known);
            lines.Add(line);
            if (line.Name is { } name)
            {
                names.Add(name);
            }
        }

        return lines;
    }

    private static void Check(string file, string joined, ScriptLine line, HashSet<string> names, Variables known)
    {
        if (line.Text.Length == 0 && line.Kind != ScriptLineKind.Text)
        {
            throw Wrong(file, line, joined.Length + 1, $"there is no command after '{line.Name} ='", $"write what {line.Name} is the result of, or '{line.Name} := ' for an empty text");
        }

        if (line.Kind == ScriptLineKind.Command && line.Text.StartsWith("set ", StringComparison.Ordinal))
        {
            throw Wrong(file, line, 1, $"'{line.Text}' is no setting", "there are 'set -e', the first failure ends the script, and 'set +e', it goes on");
        }

        int offset = Math.Max(0, joined.IndexOf(line.Text, StringComparison.Ordinal));
        foreach (Reference reference in Reference.In(line.Text))
        {
            if (!names.Contains(reference.Name) && !known.TryGet(reference.Name, out _))
            {
                string nearby = names.Count == 0 ? "none is kept before this line" : $"known here: {string.Join(", ", names.Order(StringComparer.Ordinal).Take(10))}";
                throw Wrong(file, line, offset + reference.Start + 1, char.IsDigit(reference.Name[0])
                    ? $"${reference.Name} stands for an argument that was not given"
                    : $"there is no variable '{reference.Name}' ({nearby})", "keep it before with 'name = COMMAND' or 'name := TEXT', or give --set name=TEXT; for a dollar sign write '\\$', or single quotes around");
            }
        }

        if (line.Kind is ScriptLineKind.Command or ScriptLineKind.Keep && line.Text.StartsWith('@'))
        {
            try
            {
                CommandLine.Parse(line.Text);
            }
            catch (MeshException wrong)
            {
                throw new MeshException(wrong.Code, $"{file}:{line.Number}: {wrong.Message}", wrong.NextStep, wrong);
            }
        }
    }

    /// <summary>A line that ends in a backslash goes on in the next one.</summary>
    private static IEnumerable<(int Number, string Text)> Joined(string text)
    {
        int number = 0, first = 0;
        string? begun = null;
        foreach (string line in text.Split('\n'))
        {
            number++;
            string piece = line.TrimEnd('\r');
            (string? before, begun) = (begun, null);
            first = before is null ? number : first;
            string whole = before + piece;
            if (piece.EndsWith('\\') && !piece.EndsWith("\\\\", StringComparison.Ordinal) && !whole.TrimStart().StartsWith('#'))
            {
                begun = whole[..^1];
                continue;
            }

            yield return (first, whole);
        }

        if (begun is not null)
        {
            yield return (first, begun);
        }
    }

    private static MeshException Wrong(string file, ScriptLine line, int column, string what, string next) =>
        new(CliErrors.Script, $"{file}:{line.Number}:{column}: {what}", next);
}
