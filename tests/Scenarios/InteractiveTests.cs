using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Programs on another device that read what is typed or piped here.</summary>
public sealed class InteractiveTests
{
    private const int Bytes = 50_000_000;

    [Fact]
    public async Task Fifty_megabytes_of_input_are_sorted_there_and_come_back_whole()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await WorkerAsync(laptop, "gpu");
        (byte[] lines, string sorted) = Lines();
        using Process process = laptop.Start("run", "-i", "@gpu", "--", "env", "LC_ALL=C", "sort");
        Task<byte[]> hash = SHA256.HashDataAsync(process.StandardOutput.BaseStream).AsTask();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.BaseStream.WriteAsync(lines);
        process.StandardInput.Close();
        Assert.Equal(sorted, Convert.ToHexString(await hash.WaitAsync(TimeSpan.FromMinutes(3))));
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
    }

    [Fact]
    public async Task A_program_on_a_terminal_sees_keys_size_and_interrupts_and_its_exit_code_comes_back()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using TestNode gpu = await WorkerAsync(laptop, "gpu");
        using TestTerminal terminal = TestTerminal.Start(laptop, 100, 30, "run", "-it", "@gpu", "--", "env", "PS1=ready> ", "sh", "-i");
        await terminal.SeesAsync("ready> ");
        Assert.True(terminal.IsRaw);
        terminal.Type("stty size; echo $TERM\r");
        await terminal.SeesAsync("30 100\r\nxterm\r\n");
        terminal.Resize(132, 43);
        terminal.Type("until stty size | grep '43 132'; do sleep 0.05; done\r");
        await terminal.SeesAsync("\n43 132\r\n");
        terminal.Type("echo reading; cat > /dev/null\r");
        await terminal.SeesAsync("\nreading");
        terminal.Type("\u0003");
        await terminal.SeesAsync("^C");
        terminal.Type("echo after $((6*7))\r");
        await terminal.SeesAsync("after 42");
        terminal.Type("exit 7\r");
        Assert.Equal(7, await terminal.ExitAsync());
        Assert.False(terminal.IsRaw);
    }

    [Fact]
    public async Task The_way_out_ends_the_program_and_gives_the_terminal_back()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        using TestTerminal terminal = TestTerminal.Start(solo, 80, 24, "shell");
        await Eventually.HoldsAsync(() => Task.FromResult(terminal.IsRaw), "the terminal is raw");
        terminal.Type("echo pid-$$-\r");
        await Eventually.HoldsAsync(() => Task.FromResult(ShellOf(terminal.Seen) is not null), "the shell answers");
        int shell = ShellOf(terminal.Seen)!.Value;
        terminal.Type("trap '' INT; cat\r");
        terminal.Type("\r~.");
        Assert.Equal(255, await terminal.ExitAsync());
        Assert.False(terminal.IsRaw);
        await Eventually.HoldsAsync(() => Task.FromResult(!File.Exists($"/proc/{shell}/stat")), "the shell ends");
    }

    [Fact]
    public async Task A_terminal_whose_client_is_killed_is_hung_up_there()
    {
        await using TestNode laptop = await TestNode.StartAsync("laptop");
        await using var gpu = new TestNode("gpu");
        File.WriteAllText(Path.Combine(gpu.Data, "agentmesh.conf"), "agentmesh.workers.input-grace = 1s\n");
        await gpu.UpAsync();
        await laptop.PairWithAsync(gpu);
        (await gpu.RunAsync("grant", "laptop", "run")).Done();
        string mark = Path.Combine(gpu.Data, "hung-up");
        using TestTerminal terminal = TestTerminal.Start(laptop, 80, 24, "run", "-it", "@gpu", "--", "sh", "-c", $"trap 'echo yes > {mark}; exit' HUP; echo started; while :; do sleep 0.1; done");
        await terminal.SeesAsync("started");
        terminal.Kill();
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(mark)), "the program is told");
    }

    [SkippableFact]
    public async Task Input_goes_on_after_the_link_was_lost_for_a_moment()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using var left = new TestNode("left") { Namespace = cable.Left, Listen = "0.0.0.0" };
        await using var right = new TestNode("right") { Namespace = cable.Right, Listen = "0.0.0.0" };
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        (await right.RunAsync("grant", "left", "run")).Done();
        using Process process = left.Start("run", "-i", "@right", "--", "cat");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        var sent = new StringBuilder();
        for (int i = 0; i < 300; i++)
        {
            string line = $"line {i} {new string('x', 2000)}\n";
            sent.Append(line);
            await process.StandardInput.WriteAsync(line);
            await process.StandardInput.FlushAsync();
            await Task.Delay(10);
            if (i == 100)
            {
                cable.Pull();
            }
            else if (i == 200)
            {
                await Task.Delay(4_000);
                cable.Plug();
            }
        }

        process.StandardInput.Close();
        Assert.Equal(sent.ToString(), await output.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task What_cannot_take_input_is_refused_with_the_next_step()
    {
        await using TestNode solo = await TestNode.StartAsync("solo");
        (await solo.RunAsync("run", "-t", "--", "cat")).Refused("AM0625");
        (await solo.RunAsync("run", "-i", "--detach", "--", "cat")).Refused("AM0624");
        (await solo.RunAsync("run", "-i", "@all", "--", "no-such-program")).Refused("AM0605");
    }

    private static int? ShellOf(string seen) =>
        seen.Split("pid-").Skip(1).Select(rest => rest.Split('-')[0]).FirstOrDefault(text => text.All(char.IsAsciiDigit) && text.Length > 0) is { } number
            ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)
            : null;

    private static async Task<TestNode> WorkerAsync(TestNode home, string name)
    {
        TestNode worker = await TestNode.StartAsync(name);
        await home.PairWithAsync(worker);
        (await worker.RunAsync("grant", home.Name, "run")).Done();
        return worker;
    }

    private static (byte[] Lines, string Sorted) Lines()
    {
        var random = new Random(48);
        string[] lines = [.. Enumerable.Range(0, Bytes / 50).Select(_ => random.NextInt64().ToString("x16", System.Globalization.CultureInfo.InvariantCulture) + new string('.', 33))];
        byte[] bytes = Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\n");
        Array.Sort(lines, StringComparer.Ordinal);
        return (bytes, Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\n"))));
    }
}
