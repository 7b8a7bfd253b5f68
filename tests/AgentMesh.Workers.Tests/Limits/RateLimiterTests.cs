using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Limits;

namespace AgentMesh.Workers.Tests.Limits;

public sealed class RateLimiterTests
{
    private static readonly DeviceId Self = Device('a'), Laptop = Device('b'), Desk = Device('c');

    private readonly VirtualTime _time = new();

    [Fact]
    public void A_burst_goes_at_once_and_then_one_at_a_time()
    {
        RateLimiter limiter = Of(new RateLimit(60, 3));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => Take(limiter) is null));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Enumerable.Range(0, 10).Count(_ => Take(limiter) is null));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => Take(limiter) is null));
    }

    [Fact]
    public void Who_comes_again_when_it_was_told_to_is_taken()
    {
        RateLimiter limiter = Of(new RateLimit(60, 1));
        Assert.Null(Take(limiter));
        var again = new PriorityQueue<int, TimeSpan>();
        for (int i = 0; i < 5; i++)
        {
            Limited limited = Take(limiter)!.Value;
            Assert.Equal(TimeSpan.FromSeconds(i + 1), limited.ComeAgainAfter);
            Assert.Equal(WorkerErrors.TooMany, limited.Problem.Code);
            again.Enqueue(i, limited.ComeAgainAfter);
        }

        TimeSpan passed = TimeSpan.Zero;
        while (again.TryDequeue(out _, out TimeSpan at))
        {
            _time.Advance(at - passed);
            passed = at;
            Assert.Null(Take(limiter));
        }
    }

    [Fact]
    public void Nobody_is_told_to_come_later_than_the_bound()
    {
        RateLimiter limiter = Of(new RateLimit(1, 1));
        Take(limiter);
        TimeSpan[] told = [.. Enumerable.Range(0, 1_000).Select(_ => Take(limiter)!.Value.ComeAgainAfter)];
        Assert.Equal(TimeSpan.FromMinutes(10), told.Max());
        Assert.Equal(TimeSpan.FromMinutes(1), told[0]);
    }

    [Fact]
    public void A_command_has_its_own_limit_and_takes_nothing_of_the_device_where_it_is_refused()
    {
        var limiter = new RateLimiter(new LimitSettings(new RateLimit(60, 3), null, new Dictionary<string, RateLimit> { ["run"] = new(60, 1) }), Self, "gpu-box", _time);
        Assert.Null(limiter.Take(Laptop, "laptop", "run"));
        Assert.Equal("gpu-box takes 60 times 'run' a minute from laptop, 1 in a row; come again in 1 s", limiter.Take(Laptop, "laptop", "run")!.Value.Problem.Message);
        Assert.Null(limiter.Take(Laptop, "laptop", "calc"));
        Assert.Null(limiter.Take(Laptop, "laptop", "calc"));
        Assert.Contains("60 commands a minute", limiter.Take(Laptop, "laptop", "calc")!.Value.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_do_not_share_and_the_own_one_is_free()
    {
        RateLimiter limiter = Of(new RateLimit(1, 1));
        Assert.Null(Take(limiter));
        Assert.NotNull(Take(limiter));
        Assert.Null(limiter.Take(Desk, "desk", "calc"));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Null(limiter.Take(Self, "gpu-box", "calc")));
    }

    [Fact]
    public void What_is_remembered_has_a_bound()
    {
        var limiter = new RateLimiter(
            new LimitSettings(null, null, Enumerable.Range(0, 12_000).ToDictionary(i => "c" + i, _ => new RateLimit(1, 1))), Self, "gpu-box", _time);
        for (int i = 0; i < 12_000; i++)
        {
            limiter.Take(Laptop, "laptop", "c" + i);
        }

        Assert.InRange(limiter.Count, 1, RateLimiter.BucketsMax);
        Assert.NotNull(limiter.Take(Laptop, "laptop", "c11999"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Never_are_there_more_than_the_burst_and_the_rate_allow(int seed)
    {
        var random = new Random(seed);
        var limit = new RateLimit(random.Next(1, 600), random.Next(1, 20));
        RateLimiter limiter = Of(limit);
        double seconds = 0;
        int taken = 0;
        for (int i = 0; i < 5_000; i++)
        {
            double step = random.NextDouble() * random.Next(1, 5);
            _time.Advance(TimeSpan.FromSeconds(step));
            seconds += step;
            taken += Take(limiter) is null ? 1 : 0;
            Assert.InRange(taken, 0, limit.Burst + (limit.PerMinute * seconds / 60) + 1e-6);
        }

        Assert.True(taken > 100, $"seed {seed}: {taken}");
    }

    private RateLimiter Of(RateLimit perPeer) => new(new LimitSettings(perPeer, null, new Dictionary<string, RateLimit>()), Self, "gpu-box", _time);

    private static Limited? Take(RateLimiter limiter) => limiter.Take(Laptop, "laptop", "calc");

    private static DeviceId Device(char fill) => DeviceId.Parse(new string(fill, DeviceId.TextLength));

    private sealed class VirtualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
