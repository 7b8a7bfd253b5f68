using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.TestKit;

/// <summary>A scheduler whose time the test moves. What is due runs on the thread that moves it, in the order of its times.</summary>
public class TestScheduler : IScheduler, IAdvancedScheduler
{
    private readonly object _gate = new();
    private readonly PriorityQueue<Entry, (DateTimeOffset When, long Number)> _entries = new();
    private readonly DateTimeOffset _start = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private DateTimeOffset _now;
    private long _number;

    public TestScheduler(Config schedulerConfig, ILoggingAdapter log) => _now = _start;

    public IAdvancedScheduler Advanced => this;

    public DateTimeOffset Now
    {
        get
        {
            lock (_gate)
                return _now;
        }
    }

    public TimeSpan MonotonicClock => Now - _start;

    public TimeSpan HighResMonotonicClock => MonotonicClock;

    protected DateTimeOffset TimeNow => Now;

    public void Advance(TimeSpan offset) => AdvanceTo(Now + offset);

    /// <summary>Moves the time on, stopping at each thing that is due.</summary>
    public void AdvanceTo(DateTimeOffset when)
    {
        if (when < Now)
            throw new ArgumentOutOfRangeException(nameof(when), $"The time is {Now} already and does not go back to {when}");
        while (TakeDue(when) is { } entry)
        {
            if (entry.Cancelable?.IsCancellationRequested == true)
                continue;
            entry.Work();
            if (entry.Interval is { } interval)
                Add(interval, entry);
        }
    }

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender) =>
        ScheduleTellOnce(delay, receiver, message, sender, null!);

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Add(delay, new Entry(() => receiver.Tell(message, sender), null, cancelable));

    public void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender) =>
        ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, null!);

    public void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Add(initialDelay, new Entry(() => receiver.Tell(message, sender), interval, cancelable));

    public void ScheduleOnce(TimeSpan delay, Action action) => ScheduleOnce(delay, action, null!);

    public void ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) => Add(delay, new Entry(action, null, cancelable));

    public void ScheduleOnce(TimeSpan delay, IRunnable action) => ScheduleOnce(delay, action.Run, null!);

    public void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) => ScheduleOnce(delay, action.Run, cancelable);

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action) => ScheduleRepeatedly(initialDelay, interval, action, null!);

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Add(initialDelay, new Entry(action, interval, cancelable));

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action) => ScheduleRepeatedly(initialDelay, interval, action.Run, null!);

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        ScheduleRepeatedly(initialDelay, interval, action.Run, cancelable);

    private void Add(TimeSpan delay, Entry entry)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        lock (_gate)
            _entries.Enqueue(entry, (_now + delay, _number++));
    }

    private Entry? TakeDue(DateTimeOffset until)
    {
        lock (_gate)
        {
            if (_entries.TryPeek(out _, out (DateTimeOffset When, long Number) next) && next.When <= until)
            {
                _now = next.When > _now ? next.When : _now;
                return _entries.Dequeue();
            }

            _now = until;
            return null;
        }
    }

    private sealed record Entry(Action Work, TimeSpan? Interval, ICancelable? Cancelable);
}
