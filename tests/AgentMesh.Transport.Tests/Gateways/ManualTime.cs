namespace AgentMesh.Transport.Tests.Gateways;

/// <summary>Time that stands until it is told to go on to the next timer. Thread-safe.</summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly List<Bell> _bells = [];
    private TimeSpan _now = TimeSpan.FromHours(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now
    {
        get
        {
            lock (_gate)
            {
                return _now;
            }
        }
    }

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;

    /// <summary>Waits until somebody waits, and lets the time go on to the moment that the earliest of them waits for.</summary>
    public async Task RingAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        Bell? first;
        while ((first = TakeFirst()) is null)
        {
            Assert.False(late.IsCancellationRequested, "nobody waits for any time");
            await Task.Delay(1);
        }

        first.Ring();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var bell = new Bell(this, callback, state);
        bell.Change(dueTime, period);
        return bell;
    }

    private Bell? TakeFirst()
    {
        lock (_gate)
        {
            Bell? first = _bells.MinBy(bell => bell.At);
            if (first is not null)
            {
                _bells.Remove(first);
                _now = first.At > _now ? first.At : _now;
            }

            return first;
        }
    }

    private sealed class Bell(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan At { get; private set; }

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._bells.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    At = time._now + dueTime;
                    time._bells.Add(this);
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                time._bells.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
