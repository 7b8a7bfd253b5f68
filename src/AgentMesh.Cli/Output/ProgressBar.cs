using System.Globalization;

namespace AgentMesh.Cli.Output;

/// <summary>How far something is, in characters that every terminal has.</summary>
internal static class ProgressBar
{
    private const int Cells = 16;

    /// <param name="fraction">0 to 1.</param>
    public static string Of(double fraction, bool colour = false)
    {
        double within = Math.Clamp(fraction, 0, 1);
        int full = (int)Math.Floor(within * Cells);
        string done = new('#', full);
        return string.Create(CultureInfo.InvariantCulture, $"[{(colour && full > 0 ? $"\u001b[32m{done}\u001b[0m" : done)}{new string('-', Cells - full)}] {Math.Floor(within * 100),3} %");
    }

    /// <summary>What a program wrote must not move the cursor.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
}
