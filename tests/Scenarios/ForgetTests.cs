using Scenarios.Harness;

namespace Scenarios;

public sealed class ForgetTests
{
    [Fact]
    public async Task A_forgotten_device_is_out_until_it_is_invited_again()
    {
        await using TestNode keeper = await TestNode.StartAsync("keeper");
        await using TestNode lost = await TestNode.StartAsync("lost");
        await keeper.PairWithAsync(lost);
        await Eventually.HoldsAsync(async () => (await lost.RunAsync("@keeper", "calc", "1")).Out == "1\n", "the pair works");

        Ran renamed = await keeper.RunAsync("rename", "lost", "phone");
        Assert.True(renamed.Code == 0, renamed.ToString());
        Ran forgotten = await keeper.RunAsync("forget", "phone");
        Assert.True(forgotten.Code == 0, forgotten.ToString());

        Ran away = await keeper.RunAsync("@phone", "calc", "1");
        Assert.True(away.Code == 255 && away.Error.Contains("AM0302", StringComparison.Ordinal), away.ToString());
        await Eventually.HoldsAsync(async () => (await lost.StatusAsync()).PeersConnected == 0, "the link is gone");
        Ran refused = await lost.RunAsync("@keeper", "calc", "1");
        Assert.True(refused.Code == 255 && refused.Error.Contains("AM0304", StringComparison.Ordinal), refused.ToString());

        await keeper.PairWithAsync(lost);
        await Eventually.HoldsAsync(async () => (await lost.RunAsync("@keeper", "calc", "2")).Out == "2\n", "the pair works again");
    }

    [Fact]
    public async Task With_a_forgotten_device_go_those_that_only_it_admitted()
    {
        await using TestNode keeper = await TestNode.StartAsync("keeper");
        await using TestNode lost = await TestNode.StartAsync("lost");
        await using TestNode friend = await TestNode.StartAsync("friend");
        await keeper.PairWithAsync(lost);
        (await keeper.RunAsync("grant", "lost", "introduce")).Done();
        await lost.PairWithAsync(friend);
        await Eventually.HoldsAsync(async () => (await friend.RunAsync("@keeper", "calc", "1")).Out == "1\n", "the friend of the other is let in");

        Ran forgotten = await keeper.RunAsync("forget", "lost");
        Assert.True(forgotten.Code == 0, forgotten.ToString());

        await Eventually.HoldsAsync(async () => (await keeper.StatusAsync()).PeersConnected == 0, "both links are gone");
        Ran refused = await friend.RunAsync("@keeper", "calc", "1");
        Assert.True(refused.Code == 255 && refused.Error.Contains("AM0304", StringComparison.Ordinal), refused.ToString());
        Ran between = await friend.RunAsync("@lost", "calc", "2");
        Assert.True(between.Out == "2\n", between.ToString());
    }
}
