using System.Globalization;
using System.Text;

namespace AgentMesh.Shim.Format;

/// <summary>
/// What a shim is to do. In the file, each value ends with a zero byte: version, directory, spool bytes, timeout, grace and lease in
/// milliseconds (0 is none), the number of words, the words, the environment as <c>NAME=value</c>. In a file of version 2 these follow the lease: 1 for input, 2 for a
/// terminal, else 0; its columns; its rows.
/// </summary>
/// <param name="Words">Program, with its path, and arguments.</param>
/// <param name="Environment">Added to the one the shim has from its node.</param>
/// <param name="SpoolBytesMax">Output of both streams that the home does not have yet; beyond it the program waits.</param>
/// <param name="Timeout">Longest run.</param>
/// <param name="Grace">From SIGTERM to SIGKILL, and how long output is awaited after the end.</param>
/// <param name="Lease">How long the program goes on without a node.</param>
internal sealed record LaunchFile(
    IReadOnlyList<string> Words, IReadOnlyDictionary<string, string> Environment, string WorkingDirectory, long SpoolBytesMax, TimeSpan? Timeout, TimeSpan Grace, TimeSpan? Lease)
{
    private const int Numbers = 7;
    private const int TerminalNumbers = 3;
    private const int VersionWithInput = 2;

    /// <summary>Whether the program reads what the node sends; always with a <see cref="Terminal"/>.</summary>
    public bool TakesInput { get; init; }

    /// <summary>The program gets a terminal of this size for standard input, output and errors.</summary>
    public TerminalSize? Terminal { get; init; }

    public void Write(string file)
    {
        var values = new List<string>
        {
            Text(TakesInput ? VersionWithInput : ShimFrame.Version), WorkingDirectory, Text(SpoolBytesMax), Text(Timeout), Text(Grace), Text(Lease),
        };
        if (TakesInput)
        {
            values.AddRange([Text(Terminal is null ? 1 : 2), Text(Terminal?.Columns ?? 0), Text(Terminal?.Rows ?? 0)]);
        }

        values.Add(Text(Words.Count));
        values.AddRange(Words);
        foreach ((string name, string value) in Environment)
        {
            values.Add(name + "=" + value);
        }

        ShimFiles.Replace(file, string.Concat(values.Select(value => value + '\0')));
    }

    /// <exception cref="FormatException">Not a launch file of this version.</exception>
    public static LaunchFile Read(string file)
    {
        string[] values = Encoding.UTF8.GetString(File.ReadAllBytes(file)).Split('\0');
        bool takesInput = values[0] == Text(VersionWithInput);
        int first = Numbers + (takesInput ? TerminalNumbers : 0);
        if (values.Length <= first || (values[0] != Text(ShimFrame.Version) && !takesInput))
        {
            throw new FormatException("the launch file is not of version " + Text(ShimFrame.Version) + " or " + Text(VersionWithInput));
        }

        int words = (int)Number(values[first - 1]);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = first + words; i < values.Length - 1; i++)
        {
            int equals = values[i].IndexOf('=', StringComparison.Ordinal);
            environment[values[i][..equals]] = values[i][(equals + 1)..];
        }

        return new LaunchFile(values[first..(first + words)], environment, values[1], Number(values[2]), Span(values[3]), Span(values[4]) ?? TimeSpan.Zero, Span(values[5]))
        {
            TakesInput = takesInput,
            Terminal = takesInput && values[6] == "2" ? new TerminalSize((int)Number(values[7]), (int)Number(values[8])) : null,
        };
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan? span) => Text(span is { } given ? Math.Max(1, (long)given.TotalMilliseconds) : 0);

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static TimeSpan? Span(string text) => Number(text) is > 0 and var milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}

/// <summary>Of a terminal, in characters; 1 to 65,535 each.</summary>
internal readonly record struct TerminalSize(int Columns, int Rows);
