using AgentMesh.EngineTests.Actor;
using Akka.Pattern;

namespace AgentMesh.EngineTests.Pattern;

public sealed class CircuitBreakerTests : VirtualTimeTest
{
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerTests() => _breaker = new CircuitBreaker(Time, maxFailures: 2, callTimeout: Seconds(5), resetTimeout: Seconds(10)).WithExponentialBackoff(Seconds(30));

    [Fact]
    public async Task It_opens_after_so_many_failures_in_a_row_and_then_fails_at_once()
    {
        await Fails();
        await Succeeds();
        await Fails();
        Assert.True(_breaker.IsClosed);
        await Fails();
        Assert.True(_breaker.IsOpen);
        bool called = false;
        var refused = await Assert.ThrowsAsync<OpenCircuitException>(() => _breaker.WithCircuitBreaker(() =>
        {
            called = true;
            return Task.CompletedTask;
        }));

        Assert.False(called);
        Assert.Equal(Seconds(10), refused.RemainingDuration);
    }

    [Fact]
    public async Task A_call_that_takes_too_long_is_a_failure()
    {
        for (int i = 0; i < 2; i++)
        {
            Task call = _breaker.WithCircuitBreaker(() => new TaskCompletionSource().Task);
            Time.Advance(Seconds(5));
            await Assert.ThrowsAsync<TimeoutException>(() => call.WaitAsync(Limit));
        }

        Assert.True(_breaker.IsOpen);
    }

    [Fact]
    public async Task After_the_reset_time_one_call_is_let_through_and_its_success_closes()
    {
        await Open();
        Time.Advance(Seconds(9));
        Assert.True(_breaker.IsOpen);
        Time.Advance(Seconds(1));
        Assert.True(_breaker.IsHalfOpen);
        var trial = new TaskCompletionSource();
        Task first = _breaker.WithCircuitBreaker(() => trial.Task);
        await Assert.ThrowsAsync<OpenCircuitException>(Succeeds);
        trial.SetResult();
        await first.WaitAsync(Limit);

        Assert.True(_breaker.IsClosed);
        Assert.Equal(0, _breaker.CurrentFailureCount);
    }

    [Fact]
    public async Task A_trial_that_fails_opens_it_for_a_longer_time_up_to_the_limit()
    {
        await Open();
        foreach (int reset in (int[])[10, 20, 30, 30])
        {
            Time.Advance(Seconds(reset) - TimeSpan.FromTicks(1));
            Assert.True(_breaker.IsOpen);
            Time.Advance(TimeSpan.FromTicks(1));
            Assert.True(_breaker.IsHalfOpen);
            await Fails();
        }

        Time.Advance(Seconds(30));
        await Succeeds();
        await Open();
        Time.Advance(Seconds(10));
        Assert.True(_breaker.IsHalfOpen);
    }

    [Fact]
    public async Task Listeners_hear_of_each_change()
    {
        var heard = new System.Collections.Concurrent.BlockingCollection<string>();
        _breaker.OnOpen(() => heard.Add("open")).OnHalfOpen(() => heard.Add("half open")).OnClose(() => heard.Add("closed"));
        await Open();
        Assert.True(heard.TryTake(out string? first, Limit));
        Time.Advance(Seconds(10));
        Assert.True(heard.TryTake(out string? second, Limit));
        await Succeeds();
        Assert.True(heard.TryTake(out string? third, Limit));

        Assert.Equal(["open", "half open", "closed"], [first, second, third]);
    }

    [Fact]
    public void A_synchronous_call_counts_as_well()
    {
        for (int i = 0; i < 2; i++)
            Assert.Throws<Broken>(() => _breaker.WithSyncCircuitBreaker(() => throw new Broken()));

        Assert.Throws<OpenCircuitException>(() => _breaker.WithSyncCircuitBreaker(() => { }));
    }

    private async Task Open()
    {
        await Fails();
        await Fails();
        Assert.True(_breaker.IsOpen);
    }

    private Task Fails() => Assert.ThrowsAsync<Broken>(() => _breaker.WithCircuitBreaker(() => Task.FromException(new Broken())));

    private Task Succeeds() => _breaker.WithCircuitBreaker(() => Task.CompletedTask);
}
