using Scenarios.Harness;

namespace Scenarios;

public sealed class PairingTests
{
    /// <summary>Their clusters become one at this moment: one of the two replaces its actor system while the commands are on their way.</summary>
    [Fact]
    public async Task Commands_right_after_pairing_are_answered_in_both_directions()
    {
        await using TestNode left = await TestNode.StartAsync("left");
        await using TestNode right = await TestNode.StartAsync("right");
        await left.PairWithAsync(right);

        Ran[] answers = await Task.WhenAll(left.RunAsync("--timeout", "20s", "@right", "calc", "1+2"), right.RunAsync("--timeout", "20s", "@left", "calc", "3+4"));

        Assert.True(answers is [{ Code: 0, Out: "3\n" }, { Code: 0, Out: "7\n" }], string.Join('\n', answers));
    }
}
