using System.Diagnostics;
using System.Globalization;

namespace Scenarios.Harness;

internal static class Shell
{
    public static string Run(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        Array.ForEach(words, start.ArgumentList.Add);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    /// <summary>What it wrote to standard output and error; why it could not be started when it could not.</summary>
    public static string RunBoth(string program, params string[] words)
    {
        try
        {
            var start = new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            using Process process = Process.Start(start)!;
            string text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 || text.Length > 0 ? text.Trim() : $"exit code {process.ExitCode}";
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return error.Message;
        }
    }

    /// <summary>By the shell's own kill: the program of that name is not on every machine.</summary>
    public static void Signal(int process, string signal) => Run("sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process}"));

    public static bool Has(string program) => Run("sh", "-c", $"command -v {program} || true").Trim().Length > 0;
}

internal static class Eventually
{
    /// <summary>Asks until the condition holds; the message says what did not happen.</summary>
    public static Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null) => HoldsAsync(condition, () => what, within);

    /// <inheritdoc cref="HoldsAsync(Func{Task{bool}}, string, TimeSpan?)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> what, TimeSpan? within = null)
    {
        TimeSpan limit = within ?? TimeSpan.FromSeconds(30);
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < limit, $"within {limit.TotalSeconds} s it did not happen: {what()}");
            await Task.Delay(50);
        }
    }
}
