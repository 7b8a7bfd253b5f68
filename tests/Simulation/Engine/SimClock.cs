namespace Simulation.Engine;

/// <summary>The clock of one machine: it shows the loop's time, and the date can be set by hand.</summary>
/// <param name="owner">Whose timers they are; null where they outlive a process.</param>
internal sealed class SimClock(SimLoop loop, SimProcess? owner = null, SimDate? date = null) : TimeProvider
{
    public static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SimDate _date = date ?? new SimDate();

    /// <summary>By how much the date is wrong. The elapsed time is not.</summary>
    public TimeSpan Skew
    {
        get => _date.Skew;
        set => _date.Skew = value;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Begin + loop.Now + Skew;

    public override long GetTimestamp() => loop.Now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer(loop, owner, () => callback(state), dueTime, period);

    private sealed class Timer : ITimer
    {
        private readonly SimLoop _loop;
        private readonly SimProcess? _owner;
        private readonly Action _act;
        private SimTimer? _next;

        public Timer(SimLoop loop, SimProcess? owner, Action act, TimeSpan dueTime, TimeSpan period)
        {
            _loop = loop;
            _owner = owner;
            _act = act;
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _next?.Cancel();
            _next = dueTime == Timeout.InfiniteTimeSpan ? null : _loop.After(dueTime, _owner, () =>
            {
                if (period > TimeSpan.Zero)
                {
                    Change(period, period);
                }

                _act();
            });
            return true;
        }

        public void Dispose() => _next?.Cancel();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What a machine believes the date to be; it outlives its processes.</summary>
internal sealed class SimDate
{
    public TimeSpan Skew { get; set; }
}
