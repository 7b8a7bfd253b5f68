using Scenarios.Harness;

namespace Scenarios;

[Collection("processes")]
public sealed class NetworkChangeTests
{
    [SkippableFact]
    public async Task A_running_program_survives_a_pulled_cable_and_a_new_address()
    {
        using Cable? cable = Cable.TryLay(out string whyNot);
        Skip.If(cable is null, $"network namespaces cannot be made here: {whyNot}");
        await using var left = new TestNode("left") { Namespace = cable.Left, Listen = "0.0.0.0" };
        await using var right = new TestNode("right") { Namespace = cable.Right, Listen = "0.0.0.0" };
        await left.UpAsync();
        await right.UpAsync();
        await left.PairWithAsync(right);
        Assert.Equal(0, (await right.RunAsync("grant", "left", "run")).Code);

        Task<Ran> program = left.RunAsync("run", "@right", "--", "sh", "-c", "for i in $(seq 80); do echo line $i; sleep 0.1; done");
        await Eventually.HoldsAsync(async () => (await right.StatusAsync()).AttemptsRunning == 1, "the program runs");
        cable.Pull();
        await Task.Delay(4_000);
        cable.Plug();
        cable.MoveLeft();
        Ran answer = await right.RunAsync("--timeout", "20s", "@left", "calc", "6*7");
        Assert.True(answer.Out == "42\n", answer.ToString());

        Ran ran = await program;
        Assert.True(ran.Code == 0, ran.ToString());
        Assert.Equal(string.Concat(Enumerable.Range(1, 80).Select(line => $"line {line}\n")), ran.Out);
        await Eventually.HoldsAsync(async () => (await left.StatusAsync()).Addresses[0].StartsWith("10.213.0.77:", StringComparison.Ordinal), "it tells its new address");
    }
}
