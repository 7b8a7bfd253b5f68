using System.Globalization;
using AgentMesh.Workers.Limits;

namespace AgentMesh.Node.Settings;

/// <summary>The part <c>limits</c> of the settings.</summary>
internal static class LimitsReader
{
    private const string Rate = "commands-per-minute";
    private const string Burst = "burst";
    private const double RateMax = 1_000_000;
    private const int BurstMax = 1_000_000;

    public static LimitSettings Read(SettingsReader read)
    {
        int concurrent = read.Integer("limits.per-peer.concurrent", 0, 100_000);
        RateLimit? perPeer = Of(read, "limits.per-peer", read.Text($"limits.per-peer.{Rate}"), read.Text($"limits.per-peer.{Burst}"));
        var perCommand = new Dictionary<string, RateLimit>(StringComparer.Ordinal);
        foreach ((string command, IReadOnlyDictionary<string, string> values) in read.Groups("limits.per-command"))
        {
            string path = $"limits.per-command.{command}";
            if (values.Keys.FirstOrDefault(key => key is not (Rate or Burst)) is { } unknown)
            {
                throw read.Wrong($"{path}.{unknown}", values[unknown], $"{Rate} or {Burst}, not '{unknown}',");
            }

            if (Of(read, path, values.GetValueOrDefault(Rate, "0"), values.GetValueOrDefault(Burst, "0")) is { } limit)
            {
                perCommand[command] = limit;
            }
        }

        return new LimitSettings(perPeer, concurrent == 0 ? null : concurrent, perCommand);
    }

    /// <returns>Null for a rate of 0.</returns>
    private static RateLimit? Of(SettingsReader read, string path, string rate, string burst)
    {
        if (!double.TryParse(rate, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double perMinute) || perMinute > RateMax || perMinute is > 0 and < 0.001)
        {
            throw read.Wrong($"{path}.{Rate}", rate, $"a number from 0.001 to {RateMax:0}, or 0 for no limit,");
        }

        if (!int.TryParse(burst, NumberStyles.None, CultureInfo.InvariantCulture, out int inARow) || inARow > BurstMax)
        {
            throw read.Wrong($"{path}.{Burst}", burst, $"a whole number from 1 to {BurstMax}, or 0 for as many as in a minute,");
        }

        return perMinute == 0 ? null : new RateLimit(perMinute, inARow > 0 ? inARow : Math.Max(1, (int)Math.Ceiling(perMinute)));
    }
}
