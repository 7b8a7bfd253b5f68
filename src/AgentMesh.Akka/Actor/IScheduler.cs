using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>The time as the engine sees it.</summary>
public interface ITimeProvider
{
    DateTimeOffset Now { get; }

    /// <summary>Never goes back; the zero point has no meaning.</summary>
    TimeSpan MonotonicClock { get; }

    TimeSpan HighResMonotonicClock { get; }
}

public interface IDateTimeOffsetNowTimeProvider : ITimeProvider
{
}

/// <summary>Sends messages later.</summary>
public interface ITellScheduler
{
    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender);

    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);

    void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender);

    void ScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);
}

/// <summary>Runs work later, on the thread of the scheduler: the work must be short, and must not touch the state of an actor.</summary>
public interface IRunnableScheduler
{
    void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable);

    void ScheduleOnce(TimeSpan delay, IRunnable action);

    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable);

    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action);
}

/// <inheritdoc cref="IRunnableScheduler"/>
public interface IActionScheduler : IRunnableScheduler
{
    void ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable);

    void ScheduleOnce(TimeSpan delay, Action action);

    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable);

    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action);
}

public interface IAdvancedScheduler : IActionScheduler
{
}

public interface IScheduler : ITellScheduler, ITimeProvider
{
    IAdvancedScheduler Advanced { get; }
}

/// <summary>Something that can be called off.</summary>
public interface ICancelable
{
    bool IsCancellationRequested { get; }

    CancellationToken Token { get; }

    void Cancel();

    void CancelAfter(TimeSpan delay);

    void CancelAfter(int millisecondsDelay);

    void Cancel(bool throwOnFirstException);
}

public static class CancelableExtensions
{
    public static void CancelIfNotNull(this ICancelable cancelable) => cancelable?.Cancel();
}
