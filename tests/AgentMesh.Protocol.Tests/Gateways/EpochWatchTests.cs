using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Tests.Gateways;

public sealed class EpochWatchTests
{
    [Theory]
    [InlineData(1000, 1060, 60, false)]
    [InlineData(1000, 1000, 0, false)]
    [InlineData(1000, 999, 0, false)]
    [InlineData(1000, 998, 0, true)]
    [InlineData(1000, 3, 60, true)]
    [InlineData(1000, 1057, 60, false)]
    [InlineData(1000, 1064, 60, false)]
    [InlineData(1000, 1070, 60, true)]
    [InlineData(1000, 1040, 60, true)]
    [InlineData(5, 3600, 3500, false)]
    [InlineData(5, 3600, 7000, true)]
    [InlineData(uint.MaxValue, 0, 1, true)]
    public void A_restart_is_told_from_clocks_that_drift(uint before, uint after, int secondsBetween, bool isLoss)
    {
        var watch = new EpochWatch();

        Assert.False(watch.TellsLoss(before, TimeSpan.FromSeconds(500)));
        Assert.Equal(isLoss, watch.TellsLoss(after, TimeSpan.FromSeconds(500 + secondsBetween)));
    }

    [Fact]
    public void A_loss_is_told_once()
    {
        var watch = new EpochWatch();
        watch.TellsLoss(1000, TimeSpan.Zero);

        Assert.True(watch.TellsLoss(1, TimeSpan.FromSeconds(10)));
        Assert.False(watch.TellsLoss(11, TimeSpan.FromSeconds(20)));
    }
}
