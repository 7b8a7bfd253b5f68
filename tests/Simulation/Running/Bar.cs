using System.Globalization;

namespace Simulation.Running;

/// <summary>What must hold of the values that many seeds measured.</summary>
/// <param name="Share">Of the values, so many must keep to the limit: 0.95 for a bar at p95.</param>
/// <param name="IsFloor">The limit is the least, and not the most, that is allowed.</param>
internal sealed record Bar(string Measure, double Limit, double Share, bool IsFloor)
{
    // With fewer values one late one is more than a share of them says.
    private const int ValuesMin = 20;

    public static Bar Within(string what, TimeSpan limit, double share = 0.95) => new(what, limit.TotalSeconds, share, IsFloor: false);

    public static Bar AtMost(string what, double limit, double share = 0.95) => new(what, limit, share, IsFloor: false);

    public static Bar AtLeast(string what, double limit, double share = 0.95) => new(what, limit, share, IsFloor: true);

    public bool Keeps(double value) => IsFloor ? value >= Limit : value <= Limit;

    /// <returns>Null where it holds; otherwise what to tell, with the seeds that do not keep to it.</returns>
    public string? Check(IReadOnlyCollection<SimResult> results)
    {
        double[] values = [.. results.SelectMany(Values)];
        int kept = values.Count(Keeps);
        if (values.Length < ValuesMin || kept >= Math.Ceiling(Share * values.Length))
        {
            return null;
        }

        string seeds = string.Join('\n', results.Where(result => !Values(result).All(Keeps)).Take(5).Select(result => $"  again: {result.Again}"));
        return string.Create(CultureInfo.InvariantCulture, $"{Measure}: {kept} of {values.Length} keep to {Limit:0.###}, asked are {Share:0.##%}\n{seeds}");
    }

    private IEnumerable<double> Values(SimResult result) => result.Measured.TryGetValue(Measure, out List<double>? values) ? values : [];
}
