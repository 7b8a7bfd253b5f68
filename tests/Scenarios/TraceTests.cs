using System.Diagnostics;
using Scenarios.Harness;

namespace Scenarios;

public sealed class TraceTests
{
    [SkippableFact]
    public async Task A_trace_is_read_by_tcpdump_and_a_second_one_is_refused()
    {
        Skip.IfNot(Shell.Has("tcpdump"), "tcpdump is not installed");
        await using var here = new TestNode("here");
        string keys = Path.Combine(here.Data, "keys.log"), file = Path.Combine(here.Data, "trace.pcapng");
        File.WriteAllText(Path.Combine(here.Data, "agentmesh.conf"), $"agentmesh.security {{ key-log = \"{keys}\", key-rotation-interval = 5s }}");
        await here.UpAsync();
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);

        using Process tracing = here.Start("trace", file);
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(file) && new FileInfo(file).Length > 0), "the trace begins");
        Ran second = await here.RunAsync("trace", "-", "--for", "1s");
        Assert.True(second.Code == 255 && second.Error.Contains("AM0122", StringComparison.Ordinal), second.ToString());
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "echo", "mellon-48151623")).Out == "mellon-48151623\n", "the command is answered");
        Shell.Signal(tracing.Id, "INT");
        string said = await tracing.StandardError.ReadToEndAsync();
        await tracing.WaitForExitAsync();

        Assert.True(tracing.ExitCode == 0 && said.Contains(" packets, ", StringComparison.Ordinal), said);
        string[] packets = Shell.RunBoth("tcpdump", "-nn", "-r", file).Split('\n');
        Assert.Contains(packets, line => line.Contains($".{here.Port} > 127.0.0.1.{there.Port}: UDP", StringComparison.Ordinal));
        Assert.Contains(packets, line => line.Contains($"127.0.0.1.{there.Port} > 127.0.0.1.{here.Port}: UDP", StringComparison.Ordinal));
        Assert.DoesNotContain("mellon-48151623", await File.ReadAllTextAsync(file), StringComparison.Ordinal);

        // The session began with the log in place; its keys were renewed by the short interval or will be.
        Assert.StartsWith("AGENTMESH_SECRET ", File.ReadLines(keys).First(), StringComparison.Ordinal);
        Assert.Equal("600", Shell.Run("stat", "-c", "%a", keys).Trim());
        await Eventually.HoldsAsync(() => Task.FromResult(File.ReadLines(keys).Any(line => line.Split(' ')[4] == "1")), "the keys are made anew after the interval that was set");

        using Process timed = here.Start("trace", Path.Combine(here.Data, "no", "such", "directory"));
        await timed.WaitForExitAsync();
        Assert.Equal(255, timed.ExitCode);
        Ran brief = await here.RunAsync("trace", file, "--for", "2s", "--snap", "64");
        Assert.True(brief.Code == 0 && new FileInfo(file).Length < 100_000, brief.ToString());
    }
}
