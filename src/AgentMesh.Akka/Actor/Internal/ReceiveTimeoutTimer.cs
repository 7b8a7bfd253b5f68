using Akka.Dispatch;

namespace Akka.Actor.Internal;

/// <summary>
/// Tells an actor that it has been idle. One entry of the scheduler at a time: it compares with the end of the last message when it comes
/// up, so that a message costs no rescheduling.
/// </summary>
internal sealed class ReceiveTimeoutTimer(IActorRef self, IScheduler scheduler) : IRunnable
{
    private readonly object _gate = new();
    private TimeSpan? _timeout;
    private TimeSpan _idleSince;
    private bool _busy;
    private bool _scheduled;
    private ICancelable? _entry;

    public TimeSpan? Timeout
    {
        get
        {
            lock (_gate)
                return _timeout;
        }
    }

    public void Set(TimeSpan? timeout)
    {
        lock (_gate)
        {
            _timeout = timeout > TimeSpan.Zero && timeout != System.Threading.Timeout.InfiniteTimeSpan ? timeout : null;
            _entry?.Cancel();
            _entry = null;
            _scheduled = false;
            _idleSince = scheduler.MonotonicClock;
            if (_timeout is { } delay)
                Schedule(delay);
        }
    }

    public void MessageBegins(object message)
    {
        if (message is INotInfluenceReceiveTimeout)
            return;
        lock (_gate)
            _busy = true;
    }

    public void MessageEnded(object message)
    {
        if (message is INotInfluenceReceiveTimeout)
            return;
        lock (_gate)
        {
            _busy = false;
            _idleSince = scheduler.MonotonicClock;
            if (_timeout is { } delay && !_scheduled)
                Schedule(delay);
        }
    }

    public void Run()
    {
        lock (_gate)
        {
            _scheduled = false;
            if (_timeout is not { } timeout || _busy)
                return;
            TimeSpan left = _idleSince + timeout - scheduler.MonotonicClock;
            if (left > TimeSpan.Zero)
            {
                Schedule(left);
                return;
            }
        }

        self.Tell(ReceiveTimeout.Instance, self);
    }

    public void Execute() => Run();

    private void Schedule(TimeSpan delay)
    {
        _scheduled = true;
        var entry = new Entry(this);
        _entry = entry;
        scheduler.Advanced.ScheduleOnce(delay, entry, entry);
    }

    /// <summary>One scheduled look; void once it was replaced.</summary>
    private sealed class Entry(ReceiveTimeoutTimer owner) : IRunnable, ICancelable
    {
        private volatile bool _cancelled;

        public bool IsCancellationRequested => _cancelled;

        public CancellationToken Token => CancellationToken.None;

        public void Run()
        {
            if (!_cancelled)
                owner.Run();
        }

        public void Execute() => Run();

        public void Cancel() => _cancelled = true;

        public void Cancel(bool throwOnFirstException) => _cancelled = true;

        public void CancelAfter(TimeSpan delay) => throw new NotSupportedException();

        public void CancelAfter(int millisecondsDelay) => throw new NotSupportedException();
    }
}
