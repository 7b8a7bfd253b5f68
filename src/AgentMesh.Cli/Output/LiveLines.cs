using System.Text;
using Spectre.Console.Rendering;

namespace AgentMesh.Cli.Output;

/// <summary>Lines on a terminal that are written over as things change. What is longer than the terminal is wide or high is cut: a line that was folded, or has left the screen, cannot be drawn again.</summary>
/// <param name="size">Of the terminal now, in characters.</param>
internal sealed class LiveLines(TextWriter to, Func<(int Width, int Height)> size)
{
    private const char Escape = '\u001b';

    /// <summary>Characters before this one take one column each.</summary>
    private const char FirstWide = '\u1100';

    private int _drawn;

    public static LiveLines OnStdout { get; } = new(Console.Out, () => (Console.BufferWidth, Console.WindowHeight));

    public static LiveLines OnStderr { get; } = new(Console.Error, () => (Console.BufferWidth, Console.WindowHeight));

    public void Draw(params IReadOnlyList<string> lines)
    {
        (int width, int height) = size();
        int widthMax = Math.Max(20, width - 1), linesMax = Math.Max(2, height - 1);
        string[] shown = lines.Count <= linesMax ? [.. lines] : [.. lines.Take(linesMax - 1), $"and {lines.Count - linesMax + 1} more"];
        to.Write(Up() + string.Join('\n', shown.Select(line => Cut(line, widthMax))));
        to.Flush();
        _drawn = shown.Length;
    }

    public void Erase()
    {
        if (_drawn > 0)
        {
            to.Write(Up());
            to.Flush();
            _drawn = 0;
        }
    }

    /// <summary>So many columns of it; colours take none, and are whole.</summary>
    private static string Cut(string line, int columns)
    {
        if (line.Length <= columns && line.All(c => c < FirstWide))
        {
            return line;
        }

        var cut = new StringBuilder();
        for (int at = 0, column = 0; at < line.Length;)
        {
            if (line[at] == Escape)
            {
                // ESC [ numbers, then a letter.
                int end = at + 1;
                while (end < line.Length && !char.IsAsciiLetter(line[end]))
                {
                    end++;
                }

                int next = Math.Min(end + 1, line.Length);
                cut.Append(line, at, next - at);
                at = next;
                continue;
            }

            Rune.DecodeFromUtf16(line.AsSpan(at), out Rune rune, out int taken);
            int wide = line[at] < FirstWide ? 1 : new Segment(rune.ToString()).CellCount();
            if ((column += wide) <= columns)
            {
                cut.Append(line, at, taken);
            }

            at += taken;
        }

        return cut.ToString();
    }

    // To the beginning of the first line, then nothing from there on.
    private string Up() => _drawn switch
    {
        0 => "",
        1 => $"\r{Escape}[J",
        _ => $"{Escape}[{_drawn - 1}A\r{Escape}[J",
    };
}
