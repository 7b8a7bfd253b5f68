using AgentMesh.Node.Control;
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

    /// <summary>On a way that is slow enough that nobody could know otherwise.</summary>
    [Fact]
    public async Task When_join_ends_both_devices_know_each_other_by_name()
    {
        await using TestNode left = await TestNode.StartAsync("left");
        await using TestNode right = await TestNode.StartAsync("right");
        await using var way = new SlowWay(left.Port, TimeSpan.FromMilliseconds(250));
        string code = (await left.RunAsync("invite", "--code")).Done().Trim();

        PairingView paired = await right.JoinAsync(new JoinRequest(Code: code, At: $"127.0.0.1:{way.Port}"));

        Assert.Contains("right", (await left.PeersAsync()).Select(peer => peer.Name));
        Assert.Contains("left", (await right.PeersAsync()).Select(peer => peer.Name));
        Assert.True(paired.KnownThere);

        // Who was put out there and does not know it is not taken for known by what was said before.
        (await left.RunAsync("forget", "right")).Done();
        code = (await left.RunAsync("invite", "--code")).Done().Trim();
        Assert.True((await right.JoinAsync(new JoinRequest(Code: code, At: $"127.0.0.1:{way.Port}"))).KnownThere);
        Assert.Contains("right", (await left.PeersAsync()).Select(peer => peer.Name));
    }
}
