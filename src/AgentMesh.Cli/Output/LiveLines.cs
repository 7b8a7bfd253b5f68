namespace AgentMesh.Cli.Output;

/// <summary>Lines on a terminal that are written over as things change. What is longer than the terminal is wide or high is cut: a line that was folded, or has left the screen, cannot be drawn again.</summary>
/// <param name="size">Of the terminal now, in characters.</param>
internal sealed class LiveLines(TextWriter to, Func<(int Width, int Height)> size)
{
    private int _drawn;

    public static LiveLines OnStderr { get; } = new(Console.Error, () => (Console.BufferWidth, Console.WindowHeight));

    public void Draw(params IReadOnlyList<string> lines)
    {
        (int width, int height) = size();
        int widthMax = Math.Max(20, width - 1), linesMax = Math.Max(2, height - 1);
        string[] shown = lines.Count <= linesMax ? [.. lines] : [.. lines.Take(linesMax - 1), $"and {lines.Count - linesMax + 1} more"];
        to.Write(Up() + string.Join('\n', shown.Select(line => line.Length <= widthMax ? line : line[..widthMax])));
        to.Flush();
        _drawn = shown.Length;
    }

    public void Erase()
    {
        to.Write(Up());
        to.Flush();
        _drawn = 0;
    }

    // To the beginning of the first line, then nothing from there on.
    private string Up() => _drawn switch
    {
        0 => "",
        1 => "\r\u001b[J",
        _ => $"\u001b[{_drawn - 1}A\r\u001b[J",
    };
}
