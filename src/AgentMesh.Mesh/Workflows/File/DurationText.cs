using System.Globalization;

namespace AgentMesh.Mesh.Workflows.File;

/// <summary>Durations as people write them: 500ms, 10s, 5m, 2h, 1d. A number alone is refused: in a file nobody sees what it counts.</summary>
public static class DurationText
{
    public const string Forms = "write 500ms, 10s, 5m, 2h or 1d";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    /// <returns>Null for what is none: also for zero, and for more than ten years.</returns>
    public static TimeSpan? TryRead(string text)
    {
        foreach ((string unit, double seconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
            {
                double whole = value * seconds;
                return whole >= 0.001 && whole <= Longest.TotalSeconds ? TimeSpan.FromMilliseconds(Math.Round(whole * 1000)) : null;
            }
        }

        return null;
    }
}
