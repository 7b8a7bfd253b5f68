using System.Globalization;
using System.Text;

namespace AgentMesh.Shim.Format;

/// <summary>
/// What a shim is to do. In the file, each value ends with a zero byte: version, directory, spool bytes, timeout, grace and lease in
/// milliseconds (0 is none), the number of words, the words, the environment as <c>NAME=value</c>.
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

    public void Write(string file)
    {
        var values = new List<string>
        {
            Text(ShimFrame.Version), WorkingDirectory, Text(SpoolBytesMax), Text(Timeout), Text(Grace), Text(Lease), Text(Words.Count),
        };
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
        if (values.Length <= Numbers || values[0] != Text(ShimFrame.Version))
        {
            throw new FormatException("the launch file is not of version " + Text(ShimFrame.Version));
        }

        int words = (int)Number(values[6]);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = Numbers + words; i < values.Length - 1; i++)
        {
            int equals = values[i].IndexOf('=', StringComparison.Ordinal);
            environment[values[i][..equals]] = values[i][(equals + 1)..];
        }

        return new LaunchFile(values[Numbers..(Numbers + words)], environment, values[1], Number(values[2]), Span(values[3]), Span(values[4]) ?? TimeSpan.Zero, Span(values[5]));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan? span) => Text(span is { } given ? Math.Max(1, (long)given.TotalMilliseconds) : 0);

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static TimeSpan? Span(string text) => Number(text) is > 0 and var milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
