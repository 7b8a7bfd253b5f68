using System.Globalization;

namespace AgentMesh.Journal.Audit;

/// <summary>The files of the log: numbered, so that a clock that goes back does not change their order.</summary>
internal static class AuditSegments
{
    private const string Prefix = "audit-";
    private const string Extension = ".jsonl";

    /// <summary>From the oldest to the newest.</summary>
    public static IReadOnlyList<(long Number, string Path)> Of(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, Prefix + "*" + Extension)
            .Select(path => (Number: NumberOf(path), Path: path))
            .Where(segment => segment.Number > 0)
            .OrderBy(segment => segment.Number),
    ];

    public static string PathOf(string directory, long number) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D10}{Extension}"));

    private static long NumberOf(string path) =>
        long.TryParse(Path.GetFileNameWithoutExtension(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}
