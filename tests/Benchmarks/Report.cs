using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Benchmarks;

/// <summary>Prints one line a figure: what, ours, the peer's, the ratio, and what the figure includes.</summary>
internal sealed class Report(TextWriter to)
{
    public void Machine()
    {
        string processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?"
            : "?";
        to.WriteLine($"machine: {Environment.ProcessorCount} x {processor}, {RuntimeInformation.OSDescription}, .NET {Environment.Version}");
    }

    public void Part(string title) => to.WriteLine($"\n{title}");

    public void Line(string what, double ours, double? peer, string unit, string? peerName = null, bool lowerIsBetter = false, string? includes = null)
    {
        string ratio = peer is { } other and > 0 ? $"{ours / other,7:0.00}x of {peerName} ({Format(other)} {unit})" : "";
        string sense = peer is null ? "" : lowerIsBetter ? " lower is better" : " higher is better";
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-50} {Format(ours),12} {unit,-8} {ratio}{sense}{(includes is null ? "" : "; " + includes)}"));
    }

    public void Note(string text) => to.WriteLine("  " + text);

    public static double Percentile(List<double> values, double share)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : values[(int)Math.Min(values.Count - 1, Math.Floor(share * values.Count))];
    }

    public static string FirstLineOf(string program, params string[] words)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            string text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return text.Split('\n')[0].Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return $"{program} is not installed";
        }
    }

    private static string Format(double value) => value switch
    {
        >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}
