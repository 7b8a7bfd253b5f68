using System.Globalization;
using Xunit.Abstractions;

namespace Scenarios.Harness;

/// <summary>
/// Times that are printed and held against a bar. What a machine that is busy with other things needs is not what is measured: what misses its bar is done again, and the
/// least of three times counts.
/// </summary>
internal sealed class Bars(ITestOutputHelper output)
{
    private const int Rounds = 3;

    private readonly List<string> _missed = [];

    public async Task HoldAsync(string what, TimeSpan bar, Func<Task<TimeSpan>> measure)
    {
        var measured = new List<TimeSpan>();
        do
        {
            measured.Add(await measure());
        }
        while (measured[^1] > bar && measured.Count < Rounds);

        string line = string.Create(
            CultureInfo.InvariantCulture, $"{what,-60} {string.Join(", ", measured.Select(time => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture)))} s; bar {bar.TotalSeconds:0.0} s");
        output.WriteLine(line);
        if (measured[^1] > bar)
        {
            _missed.Add(line);
        }
    }

    public void AllHeld() => Assert.Empty(_missed);
}
