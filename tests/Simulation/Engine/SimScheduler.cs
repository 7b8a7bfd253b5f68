using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Simulation.Engine;

/// <summary>Timers of actors in the loop's time.</summary>
public sealed class SimScheduler : SchedulerBase
{
    private readonly SimMachine _machine;

    public SimScheduler(Config scheduler, ILoggingAdapter log)
        : base(scheduler, log) => _machine = SimMachine.Find(scheduler.GetString("simulation.machine", ""));

    public override TimeSpan MonotonicClock => _machine.Loop.Now;

    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    protected override DateTimeOffset TimeNow => _machine.Clock.GetUtcNow();

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Schedule(delay, null, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        Schedule(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) => Schedule(delay, null, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) => Schedule(delay, null, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) => Schedule(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable) =>
        Schedule(initialDelay, interval, action.Run, cancelable);

    private void Schedule(TimeSpan delay, TimeSpan? interval, Action act, ICancelable? cancelable) => _machine.Loop.After(delay, _machine.Process, () =>
    {
        if (cancelable?.IsCancellationRequested == true)
        {
            return;
        }

        act();
        if (interval is { } again)
        {
            Schedule(again, again, act, cancelable);
        }
    });
}
