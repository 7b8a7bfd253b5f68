using System.Globalization;
using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Demo;

/// <summary>Shows each command as it would be typed and each check with what was seen; counts.</summary>
internal sealed class DemoReport(Terminal terminal)
{
    private const int LinesShown = 6;
    private const int LineLength = 150;

    private readonly long _began = TimeProvider.System.GetTimestamp();

    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public void Part(string title) => terminal.Out.WriteLine($"\n{title}");

    public void Typed(string node, string line) => terminal.Out.WriteLine($"  {node}$ agentmesh {line}");

    public void Said(string text)
    {
        string[] lines = text.TrimEnd('\n').Split('\n');
        foreach (string line in lines.Take(LinesShown))
        {
            terminal.Out.WriteLine($"    {(line.Length > LineLength ? line[..LineLength] + " ..." : line)}");
        }

        if (lines.Length > LinesShown)
        {
            terminal.Out.WriteLine($"    ... {lines.Length - LinesShown} more lines");
        }
    }

    public void Check(string what, bool holds, string? seen = null)
    {
        string at = string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetElapsedTime(_began).TotalSeconds,5:0.0} s");
        terminal.Out.WriteLine($"  {(holds ? "ok    " : "FAILED")} {at}  {what}");
        if (holds)
        {
            Passed++;
            return;
        }

        Failed++;
        if (seen is not null)
        {
            terminal.Out.WriteLine($"         seen: {seen.TrimEnd()}");
        }
    }
}
