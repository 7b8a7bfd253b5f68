using System.Security.Cryptography;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Programs on several devices, each reading what the one before it writes.</summary>
public sealed class PipeTests
{
    [Fact]
    public async Task A_pipe_over_three_devices_ends_with_its_reader_and_tells_every_exit_code()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode left = await TestNode.StartAsync("left");
        await using TestNode right = await TestNode.StartAsync("right");
        foreach (TestNode node in (TestNode[])[left, right])
        {
            await home.PairWithAsync(node);
            (await node.RunAsync("grant", "home", "run")).Done();
        }

        Ran head = await home.RunAsync("@left yes | @right cat -n | @home head -3");
        Assert.True(head.Code == 0 && head.Out == "     1\ty\n     2\ty\n     3\ty\n", head.ToString());
        Assert.Contains("exit codes: left 141, right 141, home 0", head.Error, StringComparison.Ordinal);
        Assert.Equal("24\n", (await home.RunAsync("@left calc 6*7 | @right rev")).Done());
        Ran failed = await home.RunAsync("pipe", "--pipefail", "@left sh -c 'echo x; exit 3' | @right cat");
        Assert.True(failed is { Code: 3, Out: "x\n" }, failed.ToString());
        (await home.RunAsync("pipe", "@left no-such-program | @right cat")).Refused("AM0363", "AM0605");
        (await home.RunAsync("pipe", "@left cat")).Refused("AM0361");
        (await home.RunAsync("pipe", "@all echo x | @right cat")).Refused("AM0361");

        // A tenth of a second of zeros, through both and back, and every byte of it once.
        string sum = Convert.ToHexStringLower(SHA256.HashData(new byte[20_000_000]));
        Assert.Equal(sum + "  -\n", (await home.RunAsync("pipe", "@left head -c 20000000 /dev/zero | @right sha256sum")).Done());

        // Devices that do not know each other are joined by the home.
        (await left.RunAsync("forget", "right")).Done();
        (await right.RunAsync("forget", "left")).Done();
        Assert.Equal(sum + "  -\n", (await home.RunAsync("pipe", "@left head -c 20000000 /dev/zero | @right sha256sum")).Done());
    }

    [SkippableFact]
    public async Task A_cut_in_the_middle_of_a_pipe_loses_and_doubles_nothing()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using var left = new TestNode("left") { Namespace = cable.Left, Listen = "0.0.0.0" };
        await using var right = new TestNode("right") { Namespace = cable.Right, Listen = "0.0.0.0" };
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        (await right.RunAsync("grant", "left", "run")).Done();
        string gate = Path.Combine(left.Data, "gate");
        Task<Ran> pipe = left.RunAsync(
            "pipe", $"@left sh -c 'seq 1 200000; touch {gate}; while [ -e {gate} ]; do echo between; sleep 0.1; done; seq 1 200000' | @right grep -v between | @left sha256sum");
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(gate)), "the first half is written");
        cable.Pull();
        await Task.Delay(4_000);
        File.Delete(gate);
        await Task.Delay(500);
        cable.Plug();
        string half = string.Concat(Enumerable.Range(1, 200_000).Select(i => $"{i}\n"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(half + half))) + "  -\n", (await pipe).Done());
    }

    [Fact]
    public async Task A_device_that_dies_in_the_middle_fails_the_pipe_with_a_reason_and_ends_the_other_stages()
    {
        await using var home = new TestNode("home");
        File.WriteAllText(Path.Combine(home.Data, "agentmesh.conf"), "agentmesh.workers.input-grace = 2s\n");
        await home.UpAsync();
        await using TestNode left = await TestNode.StartAsync("left");
        await home.PairWithAsync(left);
        (await left.RunAsync("grant", "home", "run")).Done();
        string seen = Path.Combine(home.Data, "seen");
        Task<Ran> pipe = home.RunAsync("pipe", $"@left sh -c 'while :; do echo x; sleep 0.05; done' | @home tee {seen}");
        await Eventually.HoldsAsync(() => Task.FromResult(File.Exists(seen) && new FileInfo(seen).Length > 0), "bytes arrive");
        left.KillHard();
        (await pipe).Refused("AM0362", "left");
        await Eventually.HoldsAsync(async () => (await home.StatusAsync()).AttemptsRunning == 0, "the reader ends too");
    }
}
