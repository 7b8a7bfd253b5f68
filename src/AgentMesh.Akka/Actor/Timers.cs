using Akka.Actor.Internal;

namespace Akka.Actor;

/// <summary>Put on an actor class: <see cref="Timers"/> is set when its constructor has run, so timers are started from PreStart on.</summary>
public interface IWithTimers
{
    ITimerScheduler Timers { get; set; }
}

/// <summary>
/// Timers of one actor by key. A timer that was cancelled or replaced delivers nothing any more, not even what is in the mailbox already;
/// all end when the actor restarts or stops.
/// </summary>
public interface ITimerScheduler
{
    IReadOnlyCollection<object> ActiveTimers { get; }

    void StartPeriodicTimer(object key, object msg, TimeSpan interval);

    void StartPeriodicTimer(object key, object msg, TimeSpan interval, IActorRef sender);

    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval);

    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval, IActorRef sender);

    void StartSingleTimer(object key, object msg, TimeSpan timeout);

    void StartSingleTimer(object key, object msg, TimeSpan timeout, IActorRef sender);

    bool IsTimerActive(object key);

    void Cancel(object key);

    void CancelAll();
}
