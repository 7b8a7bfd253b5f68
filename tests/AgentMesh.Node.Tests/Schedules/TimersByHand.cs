namespace AgentMesh.Node.Tests.Schedules;

/// <summary>Timers go off when the test says so; the clock is the real one.</summary>
internal sealed class TimersByHand : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan Due, Action Fire)> _timers = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            _timers.Add((dueTime, () => callback(state)));
        }

        return new Timer();
    }

    /// <summary>All that were set for this long.</summary>
    public void Fire(TimeSpan due)
    {
        List<(TimeSpan Due, Action Fire)> now;
        lock (_gate)
        {
            now = _timers.FindAll(timer => timer.Due == due);
        }

        Assert.NotEmpty(now);
        now.ForEach(timer => timer.Fire());
    }

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
