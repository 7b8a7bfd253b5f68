using System.Collections.Concurrent;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>
/// Timers in a wheel of slots, one slot per tick, on a thread of its own that sleeps until the next slot with something in it. Work is
/// never early and at most about one tick (<c>akka.scheduler.tick-duration</c>) late. Cancelled work leaves the wheel when the hand passes it.
/// </summary>
public sealed class HashedWheelTimerScheduler : SchedulerBase, IDateTimeOffsetNowTimeProvider, IDisposable
{
    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly long _tick;
    private readonly List<Entry>[] _wheel;
    private readonly int _mask;
    private readonly ConcurrentQueue<Entry> _incoming = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly TimeSpan _shutdownTimeout;
    private readonly object _starting = new();
    private Thread? _thread;
    private volatile bool _stopped;

    // The hand: every tick below it is done. And the tick the thread sleeps until.
    private long _hand;
    private long _sleepsUntil = long.MaxValue;

    public HashedWheelTimerScheduler(Config scheduler, ILoggingAdapter log)
        : this(scheduler, log, TimeProvider.System)
    {
    }

    internal HashedWheelTimerScheduler(Config scheduler, ILoggingAdapter log, TimeProvider clock)
        : base(scheduler, log)
    {
        _clock = clock;
        _start = clock.GetTimestamp();
        TimeSpan tick = scheduler.GetTimeSpan("akka.scheduler.tick-duration", TimeSpan.FromMilliseconds(10));
        if (tick < TimeSpan.FromMilliseconds(1))
            throw new ConfigurationException($"akka.scheduler.tick-duration must be at least 1 ms, not {tick}");
        int slots = scheduler.GetInt("akka.scheduler.ticks-per-wheel", 512);
        if (slots <= 0 || slots > 1 << 20)
            throw new ConfigurationException($"akka.scheduler.ticks-per-wheel must be from 1 to {1 << 20}, not {slots}");
        slots = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)slots);
        _tick = tick.Ticks;
        _mask = slots - 1;
        _wheel = new List<Entry>[slots];
        for (int i = 0; i < slots; i++)
            _wheel[i] = [];
        _shutdownTimeout = scheduler.GetTimeSpan("akka.scheduler.shutdown-timeout", TimeSpan.FromSeconds(5));
    }

    public override TimeSpan MonotonicClock => _clock.GetElapsedTime(_start);

    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    protected override DateTimeOffset TimeNow => _clock.GetUtcNow();

    /// <summary>Ends the thread; what is scheduled is dropped.</summary>
    public void Dispose()
    {
        _stopped = true;
        _wake.Set();
        Thread? thread = _thread;
        if (thread is not null && thread != Thread.CurrentThread && !thread.Join(_shutdownTimeout))
            Log.Warning("The timer thread did not end within {0}", _shutdownTimeout);
    }

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Schedule(delay, TimeSpan.Zero, new TellWork(receiver, message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Schedule(initialDelay, interval, new TellWork(receiver, message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Schedule(delay, TimeSpan.Zero, new ActionRunnable(action), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) => Schedule(delay, TimeSpan.Zero, action, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Schedule(initialDelay, interval, new ActionRunnable(action), cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        Schedule(initialDelay, interval, action, cancelable);

    private void Schedule(TimeSpan delay, TimeSpan interval, IRunnable work, ICancelable? cancelable)
    {
        if (cancelable?.IsCancellationRequested == true)
            return;
        if (_stopped)
            throw new SchedulerException("The scheduler has been shut down");
        TimeSpan now = MonotonicClock;
        if (delay == TimeSpan.Zero && interval == TimeSpan.Zero && work is TellWork)
        {
            Run(work);
            return;
        }

        long due = delay > TimeSpan.MaxValue - now ? long.MaxValue : (now + delay).Ticks;
        var entry = new Entry(work, cancelable, interval.Ticks) { Due = due, Tick = TickOf(due) };
        _incoming.Enqueue(entry);
        EnsureStarted();

        // Whoever sees the other's write wakes the thread: the enqueue above is a full fence, as is the thread's exchange of its wake-up.
        if (entry.Tick < Interlocked.Read(ref _sleepsUntil))
            _wake.Set();
    }

    private long TickOf(long due) => due == long.MaxValue ? long.MaxValue : (due + _tick - 1) / _tick;

    private void EnsureStarted()
    {
        if (_thread is not null)
            return;
        lock (_starting)
        {
            if (_thread is not null || _stopped)
                return;
            var thread = new Thread(Loop) { IsBackground = true, Name = "akka.scheduler" };
            _hand = MonotonicClock.Ticks / _tick;
            _thread = thread;
            thread.Start();
        }
    }

    private void Loop()
    {
        long next = long.MaxValue;
        while (!_stopped)
        {
            long now = MonotonicClock.Ticks / _tick;
            if (next == long.MaxValue)
                _hand = now;
            Place();
            while (_hand <= now && !_stopped)
                Turn();
            Place();
            next = NextTick();
            Interlocked.Exchange(ref _sleepsUntil, next);
            if (_incoming.IsEmpty)
                Sleep(next);
            Interlocked.Exchange(ref _sleepsUntil, long.MinValue);
        }
    }

    private void Sleep(long until)
    {
        if (until == long.MaxValue)
        {
            _wake.WaitOne();
            return;
        }

        // Round up: waking a moment early would mean a second sleep.
        long left = ((until * _tick) - MonotonicClock.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
        if (left > 0)
            _wake.WaitOne((int)Math.Min(left, int.MaxValue));
    }

    private void Place()
    {
        while (_incoming.TryDequeue(out Entry? entry))
            _wheel[(int)(Math.Max(entry.Tick, _hand) & _mask)].Add(entry);
    }

    /// <summary>Runs what is due in the slot under the hand and moves the hand on.</summary>
    private void Turn()
    {
        List<Entry> slot = _wheel[(int)(_hand & _mask)];
        int kept = 0;
        for (int i = 0; i < slot.Count && !_stopped; i++)
        {
            Entry entry = slot[i];
            if (entry.IsCancelled)
                continue;
            if (entry.Tick > _hand)
                slot[kept++] = entry;
            else
                Fire(entry);
        }

        slot.RemoveRange(kept, slot.Count - kept);
        _hand++;
    }

    private void Fire(Entry entry)
    {
        Run(entry.Work);
        if (entry.Interval == 0 || entry.IsCancelled)
            return;

        // From the time it was due, so that the interval does not drift; after a long pause, from now.
        entry.Due = Math.Max(entry.Due + entry.Interval, MonotonicClock.Ticks - entry.Interval);
        entry.Tick = Math.Max(TickOf(entry.Due), _hand + 1);
        _incoming.Enqueue(entry);
    }

    private void Run(IRunnable work)
    {
        try
        {
            work.Run();
        }
        catch (Exception e)
        {
            Log.Error(e, "Scheduled work failed");
        }
    }

    /// <summary>The next tick whose slot holds anything; a slot with later rounds only is passed in vain, once per turn of the wheel.</summary>
    private long NextTick()
    {
        for (int i = 0; i <= _mask; i++)
        {
            if (_wheel[(int)((_hand + i) & _mask)].Count > 0)
                return _hand + i;
        }

        return long.MaxValue;
    }

    private sealed class Entry(IRunnable work, ICancelable? cancelable, long interval)
    {
        public long Due;
        public long Tick;

        public IRunnable Work => work;

        /// <summary>0 for work that runs once.</summary>
        public long Interval => interval;

        public bool IsCancelled => cancelable?.IsCancellationRequested == true;
    }

    private sealed class TellWork(ICanTell receiver, object message, IActorRef sender) : IRunnable
    {
        public void Run() => receiver.Tell(message, sender);

        public void Execute() => Run();
    }
}
