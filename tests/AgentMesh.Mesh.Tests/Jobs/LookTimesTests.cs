using AgentMesh.Mesh.Jobs.Entity;

namespace AgentMesh.Mesh.Tests.Jobs;

public sealed class LookTimesTests
{
    private readonly HandClock _clock = new();
    private readonly LookTimes _times;

    public LookTimesTests() => _times = new LookTimes(_clock);

    [Fact]
    public void A_look_that_is_ahead_is_not_put_off()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(200), _times.UntilNextLook(isCalled: false));
        for (int asked = 0; asked < 3; asked++)
        {
            _clock.Pass(TimeSpan.FromMilliseconds(60));
            Assert.Null(_times.UntilNextLook(isCalled: false));
        }

        _clock.Pass(TimeSpan.FromSeconds(9));
        Assert.Null(_times.UntilNextLook(isCalled: false));
        _times.Looks();
        Assert.Equal(TimeSpan.FromMilliseconds(459), _times.UntilNextLook(isCalled: false));
    }

    [Fact]
    public void A_sooner_one_takes_its_place()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), _times.UntilNextLook(isCalled: true));
        Assert.Null(_times.UntilNextLook(isCalled: true, TimeSpan.FromMinutes(1), null));
        Assert.Equal(TimeSpan.FromSeconds(4), _times.UntilNextLook(isCalled: true, TimeSpan.FromSeconds(4)));
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Null(_times.UntilNextLook(isCalled: true, TimeSpan.FromSeconds(3)));
        Assert.Equal(TimeSpan.FromMilliseconds(5), _times.UntilNextLook(isCalled: true, TimeSpan.Zero));
    }

    /// <summary>It stands until it is moved.</summary>
    private sealed class HandClock : TimeProvider
    {
        private TimeSpan _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _passed.Ticks;

        public void Pass(TimeSpan time) => _passed += time;
    }
}
