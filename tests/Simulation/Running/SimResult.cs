using System.Globalization;
using System.Text;

namespace Simulation.Running;

/// <summary>What came of one seed, in one line of text.</summary>
/// <param name="Problem">Null where every rule held.</param>
internal sealed record SimResult(
    string Kind, int Number, int Seed, ulong Trace, long Steps, IReadOnlyDictionary<string, int> Counts, IReadOnlyDictionary<string, List<double>> Measured, string? Problem)
{
    public string Again => $"./agentmesh simulate --{Kind} {Number} --seed {Seed}";

    public string ToLine() => string.Join(
        '\t', Kind, Number, Seed, Trace.ToString("x16", CultureInfo.InvariantCulture), Steps, string.Join(';', Counts.Select(count => $"{count.Key}={count.Value}")),
        string.Join(';', Measured.Select(each => $"{each.Key}={string.Join(' ', each.Value.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))}")),
        Problem is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(Problem)));

    public static SimResult Parse(string line)
    {
        string[] parts = line.Split('\t');
        return new SimResult(
            parts[0],
            int.Parse(parts[1], CultureInfo.InvariantCulture),
            int.Parse(parts[2], CultureInfo.InvariantCulture),
            ulong.Parse(parts[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            long.Parse(parts[4], CultureInfo.InvariantCulture),
            Pairs(parts[5]).ToDictionary(pair => pair[0], pair => int.Parse(pair[1], CultureInfo.InvariantCulture), StringComparer.Ordinal),
            Pairs(parts[6]).ToDictionary(pair => pair[0], pair => pair[1].Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture)).ToList(), StringComparer.Ordinal),
            parts[7].Length == 0 ? null : Encoding.UTF8.GetString(Convert.FromBase64String(parts[7])));
    }

    private static IEnumerable<string[]> Pairs(string text) => text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('='));
}
