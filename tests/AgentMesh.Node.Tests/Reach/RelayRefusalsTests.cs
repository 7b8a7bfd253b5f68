using AgentMesh.Node.Reach;

namespace AgentMesh.Node.Tests.Reach;

public sealed class RelayRefusalsTests
{
    private readonly StandingClock _clock = new();
    private readonly object _one = new();

    [Fact]
    public void Who_does_not_relay_is_asked_again_soon_and_then_less_and_less_often()
    {
        var refusals = new RelayRefusals(_clock);
        Assert.True(refusals.MayAsk(_one));
        foreach (int seconds in new[] { 5, 30, 120, 120 })
        {
            refusals.Add(_one);
            _clock.Advance(TimeSpan.FromSeconds(seconds - 0.1));
            Assert.False(refusals.MayAsk(_one));
            _clock.Advance(TimeSpan.FromSeconds(0.1));
            Assert.True(refusals.MayAsk(_one));
        }
    }

    [Fact]
    public void A_new_connection_is_asked_at_once()
    {
        var refusals = new RelayRefusals(_clock);
        refusals.Add(_one);
        Assert.False(refusals.MayAsk(_one));
        Assert.True(refusals.MayAsk(new object()));
    }
}
