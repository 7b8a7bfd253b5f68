using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The base of schedulers: checks the arguments. Named by <c>akka.scheduler.implementation</c>, created with the configuration and a log.</summary>
public abstract class SchedulerBase : IScheduler, IAdvancedScheduler
{
    protected readonly Config SchedulerConfig;

    protected readonly ILoggingAdapter Log;

    protected SchedulerBase(Config scheduler, ILoggingAdapter log)
    {
        SchedulerConfig = scheduler;
        Log = log;
    }

    public abstract TimeSpan MonotonicClock { get; }

    public abstract TimeSpan HighResMonotonicClock { get; }

    IAdvancedScheduler IScheduler.Advanced => this;

    DateTimeOffset ITimeProvider.Now => TimeNow;

    protected abstract DateTimeOffset TimeNow { get; }

    void ITellScheduler.ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleTellOnce(delay, receiver, message, sender, null!);
    }

    void ITellScheduler.ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleTellOnce(delay, receiver, message, sender, cancelable);
    }

    void ITellScheduler.ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, null!);
    }

    void ITellScheduler.ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);
    }

    void IActionScheduler.ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, cancelable);
    }

    void IActionScheduler.ScheduleOnce(TimeSpan delay, Action action)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, null!);
    }

    void IActionScheduler.ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, cancelable);
    }

    void IActionScheduler.ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, null!);
    }

    public void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, cancelable);
    }

    public void ScheduleOnce(TimeSpan delay, IRunnable action)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, null!);
    }

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, cancelable);
    }

    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, null!);
    }

    protected static void ValidateDelay(TimeSpan delay, string parameterName)
    {
        if (delay < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameterName, $"A delay must not be negative, but was {delay}");
    }

    protected static void ValidateInterval(TimeSpan interval, string parameterName)
    {
        if (interval <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameterName, $"An interval must be positive, but was {interval}");
    }

    protected abstract void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);

    protected abstract void InternalScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);

    protected abstract void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable);

    protected abstract void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable);

    protected abstract void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable);

    protected abstract void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable);
}
