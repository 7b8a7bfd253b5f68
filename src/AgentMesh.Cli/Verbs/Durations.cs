using System.CommandLine.Parsing;
using System.Globalization;

namespace AgentMesh.Cli.Verbs;

/// <summary>Durations as people type them: 500ms, 10s, 5m, 2h, 1d; a bare number is seconds.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];

    public static TimeSpan? Parse(ArgumentResult result)
    {
        string text = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
        foreach ((string unit, double seconds) in Units.Append(("", 1)))
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) &&
                double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value * seconds is > 0 and < 1e9)
            {
                return TimeSpan.FromSeconds(value * seconds);
            }
        }

        result.AddError($"'{text}' is not a duration: 500ms, 10s, 5m or 2h are expected");
        return null;
    }

    /// <summary>"3 s", "12 min", "5 h", "2 d".</summary>
    public static string Age(TimeSpan span) => span.TotalSeconds switch
    {
        < 0 => "0 s",
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        < 6000 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
        < 172_800 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} d"),
    };

    /// <summary>"12.3 s", from 100 seconds on "00:02:05".</summary>
    public static string Seconds(TimeSpan span) => span.TotalSeconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, span.TotalSeconds):0.0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours:00}:{span:mm\\:ss}");
}
