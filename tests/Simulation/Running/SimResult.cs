using System.Globalization;
using System.Text;

namespace Simulation.Running;

/// <summary>What came of one seed, in one line of text.</summary>
/// <param name="Problem">Null where every rule held.</param>
internal sealed record SimResult(int Trial, int Seed, ulong Trace, long Steps, IReadOnlyDictionary<string, int> Counts, string? Problem)
{
    public string Again => $"./agentmesh simulate --trial {Trial} --seed {Seed}";

    public string ToLine() => string.Join(
        '\t', Trial, Seed, Trace.ToString("x16", CultureInfo.InvariantCulture), Steps, string.Join(';', Counts.Select(count => $"{count.Key}={count.Value}")),
        Problem is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(Problem)));

    public static SimResult Parse(string line)
    {
        string[] parts = line.Split('\t');
        return new SimResult(
            int.Parse(parts[0], CultureInfo.InvariantCulture),
            int.Parse(parts[1], CultureInfo.InvariantCulture),
            ulong.Parse(parts[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            long.Parse(parts[3], CultureInfo.InvariantCulture),
            parts[4].Split(';', StringSplitOptions.RemoveEmptyEntries).Select(count => count.Split('=')).ToDictionary(pair => pair[0], pair => int.Parse(pair[1], CultureInfo.InvariantCulture), StringComparer.Ordinal),
            parts[5].Length == 0 ? null : Encoding.UTF8.GetString(Convert.FromBase64String(parts[5])));
    }
}
