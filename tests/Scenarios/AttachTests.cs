using System.Diagnostics;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Jobs that are left and come back to.</summary>
public sealed class AttachTests
{
    private const string Detach = "\u0010\u0011";

    [Fact]
    public async Task A_terminal_is_left_and_come_back_to_past_the_grace_and_the_death_of_the_node_there()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using var gpu = new TestNode("gpu");
        File.WriteAllText(Path.Combine(gpu.Data, "agentmesh.conf"), "agentmesh.workers.input-grace = 1s\n");
        await gpu.UpAsync();
        await laptop.PairWithAsync(gpu);
        (await gpu.RunAsync("grant", "laptop", "run")).Done();

        using TestTerminal first = TestTerminal.Start(laptop, 80, 24, "run", "-it", "@gpu", "--", "env", "PS1=ready> ", "sh", "-i");
        await first.SeesAsync("ready> ");
        first.Type("kept=41\r");
        await first.SeesAsync("kept=41\r\n");
        first.Type(Detach);
        Assert.Equal(0, await first.ExitAsync());
        Assert.False(first.IsRaw);
        string job = JobOf(first.Seen);

        // The grace is long over when the node is back.
        gpu.KillHard();
        await Task.Delay(1_500);
        await gpu.UpAsync();
        await Task.Delay(1_500);
        Assert.Equal("running", (await laptop.JobAsync(job)).State);

        using TestTerminal second = TestTerminal.Start(laptop, 100, 30, "attach", job);
        await Eventually.HoldsAsync(() => Task.FromResult(second.IsRaw), "the terminal is raw");
        second.Type("until stty size | grep '30 100'; do sleep 0.05; done; echo still $((kept+1))\r");
        await second.SeesAsync("still 42");

        // Who comes third looks on.
        using TestTerminal third = TestTerminal.Start(laptop, 80, 24, "attach", job);
        await third.SeesAsync("only its output follows");
        second.Type("echo seen by $((1+1))\r");
        await third.SeesAsync("seen by 2");
        second.Type("exit 7\r");
        Assert.Equal(7, await second.ExitAsync());
        Assert.Equal(7, await third.ExitAsync());
        (await laptop.RunAsync("attach", job)).Refused("AM0228");
    }

    [Fact]
    public async Task Output_follows_from_now_and_an_interrupt_leaves_the_job()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        string file = Path.Combine(solo.Data, "go");
        string job = (await solo.RunAsync("run", "--detach", "--", "sh", "-c", $"echo before; until test -e {file}; do sleep 0.05; done; echo after; until test -e {file}2; do sleep 0.05; done; exit 3")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await solo.RunAsync("logs", job)).Out.Contains("before", StringComparison.Ordinal), "it has begun");

        using Process looking = solo.Start("attach", job);
        looking.StandardInput.Close();
        Task<string> seen = looking.StandardOutput.ReadToEndAsync(), said = looking.StandardError.ReadToEndAsync();
        using Process tail = solo.Start("attach", "--tail", "1", job);
        tail.StandardInput.Close();
        Assert.Equal("before", await tail.StandardOutput.ReadLineAsync());
        await Task.Delay(500);
        File.WriteAllText(file, "");
        Assert.Equal("after", await tail.StandardOutput.ReadLineAsync());
        Shell.Signal(tail.Id, "INT");
        await tail.WaitForExitAsync();
        Assert.Equal(0, tail.ExitCode);
        Assert.Contains($"agentmesh job cancel {job}", await tail.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal("running", (await solo.JobAsync(job)).State);

        File.WriteAllText(file + "2", "");
        await looking.WaitForExitAsync();
        Assert.Equal((3, "after\n"), (looking.ExitCode, await seen));
        Assert.Contains("exit code 3", await said, StringComparison.Ordinal);
    }

    private static string JobOf(string seen)
    {
        string[] parts = seen.Split("agentmesh attach ");
        Assert.True(parts.Length > 1, $"no job is named: {seen}");
        return string.Concat(parts[^1].TakeWhile(char.IsAsciiLetterOrDigit));
    }
}
