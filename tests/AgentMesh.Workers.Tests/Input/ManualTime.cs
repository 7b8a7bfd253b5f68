namespace AgentMesh.Workers.Tests.Input;

/// <summary>Time that passes when it is told to; timers ring at once when it reaches them.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Bell> _bells = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(TimeSpan by)
    {
        _now += by;
        foreach (Bell bell in _bells.Where(bell => bell.At <= _now).ToArray())
        {
            bell.Ring();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var bell = new Bell(this, callback, state);
        bell.Change(dueTime, period);
        _bells.Add(bell);
        return bell;
    }

    private sealed class Bell(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan? At { get; private set; }

        public void Ring()
        {
            At = null;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            At = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
            return true;
        }

        public void Dispose() => At = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
