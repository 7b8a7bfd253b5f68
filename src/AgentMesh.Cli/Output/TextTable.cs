using Spectre.Console;

namespace AgentMesh.Cli.Output;

/// <summary>Rows in columns, without frames.</summary>
internal static class TextTable
{
    /// <summary>Wider than any row is.</summary>
    private const int Unbounded = 1_000_000;

    /// <summary>For a person: what does not fit the terminal is folded in its column.</summary>
    public static Table Of(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (string heading in headings)
        {
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(heading)}[/]") { NoWrap = heading != "COMMAND" && heading != "REASON", Padding = new Padding(0, 0, 2, 0) });
        }

        foreach (IReadOnlyList<string> row in rows)
        {
            table.AddRow([.. row.Select(cell => new Text(OneLine(cell)))]);
        }

        return table;
    }

    /// <summary>For a program or a file: each row is one line, however long, and nothing follows its last word.</summary>
    public static void WriteLines(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows, TextWriter to)
    {
        var text = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = Unbounded;
        console.Write(Of(headings, rows));
        foreach (string line in text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            to.WriteLine(line.TrimEnd());
        }
    }

    /// <summary>The first line of a text that may have several, as an error that points at a position has, without what would move the cursor.</summary>
    private static string OneLine(string cell)
    {
        ReadOnlySpan<char> first = cell.AsSpan().TrimStart('\n');
        int end = first.IndexOfAny('\r', '\n');
        first = end < 0 ? first : first[..end];
        return string.Create(first.Length, first, static (shown, from) =>
        {
            for (int index = 0; index < from.Length; index++)
            {
                shown[index] = char.IsControl(from[index]) ? ' ' : from[index];
            }
        });
    }
}
