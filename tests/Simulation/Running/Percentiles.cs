using System.Globalization;

namespace Simulation.Running;

/// <summary>What many worlds measured, a line for each name.</summary>
internal static class Percentiles
{
    public static IEnumerable<string> Of(IReadOnlyCollection<SimResult> results)
    {
        foreach (string name in results.SelectMany(result => result.Measured.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            double[] values = [.. results.SelectMany(result => result.Measured.TryGetValue(name, out List<double>? each) ? each : []).Order()];
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: least {values[0]:0.###}, p5 {At(values, 0.05):0.###}, p50 {At(values, 0.5):0.###}, p95 {At(values, 0.95):0.###}, most {values[^1]:0.###} ({values.Length} values)");
        }
    }

    private static double At(double[] sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}
