namespace Simulation.Running;

/// <summary>What went wrong in many worlds.</summary>
internal static class Summary
{
    /// <summary>Sums, and for what begins with a superlative the most of all.</summary>
    public static string Of(IEnumerable<SimResult> results)
    {
        var sums = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach ((string what, int count) in results.SelectMany(result => result.Counts))
        {
            int before = sums.GetValueOrDefault(what);
            sums[what] = what.StartsWith("most ", StringComparison.Ordinal) || what.StartsWith("slowest ", StringComparison.Ordinal) ? Math.Max(before, count) : before + count;
        }

        return string.Join(", ", sums.Select(sum => $"{sum.Key}: {sum.Value}"));
    }
}
