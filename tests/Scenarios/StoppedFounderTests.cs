using System.Diagnostics;
using Scenarios.Harness;

namespace Scenarios;

[Collection(Alone.Name)]
public sealed class StoppedFounderTests
{
    [Fact]
    public async Task Two_devices_go_on_while_the_founder_is_stopped_and_all_three_are_members_again_after_it_continues()
    {
        await using TestNode founder = await TestNode.StartAsync("founder");
        await using TestNode left = await TestNode.StartAsync("left");
        await using TestNode right = await TestNode.StartAsync("right");
        await founder.PairWithAsync(left);
        await founder.PairWithAsync(right);
        await ThreeMembers(founder, left, right);
        await Eventually.HoldsAsync(async () => (await left.StatusAsync()).PeersConnected == 2, "the two others have found each other");

        // What a command takes here and now: on a busy machine the start of its process alone can take seconds.
        var usual = Stopwatch.StartNew();
        for (int i = 0; i < 3; i++)
        {
            await left.RunAsync("@right", "calc", "1+1");
        }

        long limit = 2000 + usual.ElapsedMilliseconds;
        founder.Signal("STOP");
        try
        {
            var watch = Stopwatch.StartNew();
            for (int i = 0; watch.Elapsed < TimeSpan.FromSeconds(12); i++)
            {
                long began = watch.ElapsedMilliseconds;
                Ran sum = await left.RunAsync("@right", "calc", $"{i}+1");
                Assert.True(sum.Out == $"{i + 1}\n", sum.ToString());
                Assert.True(watch.ElapsedMilliseconds - began < limit, $"command {i} took {watch.ElapsedMilliseconds - began} ms, {began} ms after the founder stopped; {limit} ms is the most");
            }
        }
        finally
        {
            founder.Signal("CONT");
        }

        await ThreeMembers(founder, left, right, TimeSpan.FromSeconds(15));
        Ran back = await left.RunAsync("@founder", "calc", "5*5");
        Assert.True(back.Out == "25\n", back.ToString());
    }

    private static async Task ThreeMembers(TestNode a, TestNode b, TestNode c, TimeSpan? within = null)
    {
        foreach (TestNode node in new[] { a, b, c })
        {
            await Eventually.HoldsAsync(
                async () => (await node.StatusAsync()).Members.Count(member => member is { Status: "up", Reachable: true }) == 3,
                $"{node.Name} sees three members that are up and reachable",
                within);
        }
    }
}
