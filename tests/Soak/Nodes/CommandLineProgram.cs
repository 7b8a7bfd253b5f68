using System.Diagnostics;

namespace Soak.Nodes;

/// <param name="Code">Exit code; null where it did not end in time and was killed.</param>
internal sealed record Ran(int? Code, string Out, string Error)
{
    public override string ToString() => $"exit {Code?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "(killed: it did not end)"}, stdout: {Out}, stderr: {Error}";
}

/// <summary>The command line as a person starts it.</summary>
internal static class CommandLineProgram
{
    private static string Program =>
        Environment.GetEnvironmentVariable("AGENTMESH_PROGRAM") is { Length: > 0 } given ? given : Path.Combine(AppContext.BaseDirectory, "agentmesh.dll");

    /// <param name="temporary">Where the runtime keeps its diagnostic sockets, which those that are killed leave behind.</param>
    public static async Task<Ran> RunAsync(string dataDirectory, string temporary, string? networkNamespace, TimeSpan patience, params IReadOnlyList<string> words)
    {
        string[] inside = networkNamespace is null ? ["dotnet"] : ["ip", "netns", "exec", networkNamespace, "dotnet"];
        var start = new ProcessStartInfo(inside[0], [.. inside[1..], Program, "--data-dir", dataDirectory, .. words])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string setting in start.Environment.Keys.Where(key => key.StartsWith("AGENTMESH_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(setting);
        }

        start.Environment["TMPDIR"] = temporary;
        start.Environment["DOTNET_TieredPGO"] = words.Contains("up") ? "1" : "0";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // The program alone: what it started, such as a node, is a process of its own.
            process.Kill();
            return new Ran(null, "", "");
        }

        return new Ran(process.ExitCode, await output, await error);
    }
}
