using System.Globalization;

namespace Soak;

/// <param name="Minutes">How long jobs are submitted and faults are injected; settling and checking come on top.</param>
/// <param name="Rate">Submissions in a second, on average.</param>
/// <param name="Network">Each node in a network namespace of its own, and connections between them are cut as well; needs root.</param>
/// <param name="PlanOnly">Prints what would be done, and does nothing.</param>
/// <param name="Keep">Keeps the directories of the nodes though nothing failed.</param>
internal sealed record SoakOptions(double Minutes, int Seed, double Rate, bool Network, bool PlanOnly, bool Keep)
{
    public const string Usage = "soak [--minutes N] [--seed S] [--rate JOBS-PER-SECOND] [--network] [--plan] [--keep]";

    /// <returns>Null for words that are not understood.</returns>
    public static SoakOptions? TryParse(IReadOnlyList<string> words, int freshSeed)
    {
        var options = new SoakOptions(10, freshSeed, 1.5, Network: false, PlanOnly: false, Keep: false);
        for (int i = 0; i < words.Count; i++)
        {
            string? value = i + 1 < words.Count ? words[i + 1] : null;
            switch (words[i])
            {
                case "--network":
                    options = options with { Network = true };
                    continue;
                case "--plan":
                    options = options with { PlanOnly = true };
                    continue;
                case "--keep":
                    options = options with { Keep = true };
                    continue;
                case "--minutes" when Number(value, 0.1, 10_000) is { } minutes:
                    options = options with { Minutes = minutes };
                    break;
                case "--rate" when Number(value, 0.01, 100) is { } rate:
                    options = options with { Rate = rate };
                    break;
                case "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seed):
                    options = options with { Seed = seed };
                    break;
                default:
                    return null;
            }

            i++;
        }

        return options;
    }

    private static double? Number(string? text, double least, double most) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most ? value : null;
}
