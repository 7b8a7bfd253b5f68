using Akka.Dispatch;

namespace Akka.Actor.Internal;

/// <summary>A timer has fired. Which message that means is known to the actor's timers only.</summary>
internal class TimerMessage(TimerScheduler owner, object key, int generation) : IAutoReceivedMessage, INoSerializationVerificationNeeded, Event.IDeadLetterSuppression
{
    public TimerScheduler Owner => owner;

    public object Key => key;

    public int Generation => generation;

    public override string ToString() => $"<timer {key}>";
}

/// <summary>As <see cref="TimerMessage"/>, for messages that do not count as activity.</summary>
internal sealed class QuietTimerMessage(TimerScheduler owner, object key, int generation) : TimerMessage(owner, key, generation), INotInfluenceReceiveTimeout;

/// <summary>The timers of one instance of an actor. Only the actor's thread uses it.</summary>
internal sealed class TimerScheduler(ActorCell cell) : ITimerScheduler
{
    private readonly Dictionary<object, Timer> _timers = [];
    private int _generation;

    public IReadOnlyCollection<object> ActiveTimers => _timers.Keys;

    public void StartPeriodicTimer(object key, object msg, TimeSpan interval) => Start(key, msg, interval, interval, cell.Self);

    public void StartPeriodicTimer(object key, object msg, TimeSpan interval, IActorRef sender) => Start(key, msg, interval, interval, sender);

    public void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval) => Start(key, msg, initialDelay, interval, cell.Self);

    public void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval, IActorRef sender) => Start(key, msg, initialDelay, interval, sender);

    public void StartSingleTimer(object key, object msg, TimeSpan timeout) => Start(key, msg, timeout, null, cell.Self);

    public void StartSingleTimer(object key, object msg, TimeSpan timeout, IActorRef sender) => Start(key, msg, timeout, null, sender);

    public bool IsTimerActive(object key) => _timers.ContainsKey(key);

    public void Cancel(object key)
    {
        if (_timers.Remove(key, out Timer? timer))
            timer.Cancelled = true;
    }

    public void CancelAll()
    {
        foreach (Timer timer in _timers.Values)
            timer.Cancelled = true;
        _timers.Clear();
    }

    /// <returns>The message of the timer; null when it was cancelled or replaced meanwhile, or belongs to an earlier instance.</returns>
    public object? Accept(TimerMessage fired)
    {
        if (!ReferenceEquals(fired.Owner, this) || !_timers.TryGetValue(fired.Key, out Timer? timer) || timer.Generation != fired.Generation)
            return null;
        if (!timer.Repeats)
            _timers.Remove(fired.Key);
        return timer.Message;
    }

    private void Start(object key, object message, TimeSpan delay, TimeSpan? interval, IActorRef sender)
    {
        Cancel(key);
        var timer = new Timer(message, ++_generation, interval is not null);
        object fired = message is INotInfluenceReceiveTimeout ? new QuietTimerMessage(this, key, timer.Generation) : new TimerMessage(this, key, timer.Generation);
        var work = new Work(cell.Self, fired, sender);
        _timers[key] = timer;
        IAdvancedScheduler scheduler = cell.System.Scheduler.Advanced;
        if (interval is { } every)
            scheduler.ScheduleRepeatedly(delay, every, work, timer);
        else
            scheduler.ScheduleOnce(delay, work, timer);
    }

    private sealed class Work(IActorRef self, object fired, IActorRef sender) : IRunnable
    {
        public void Run() => self.Tell(fired, sender);

        public void Execute() => Run();
    }

    private sealed class Timer(object message, int generation, bool repeats) : ICancelable
    {
        private volatile bool _cancelled;

        public object Message => message;

        public int Generation => generation;

        public bool Repeats => repeats;

        public bool Cancelled
        {
            set => _cancelled = value;
        }

        public bool IsCancellationRequested => _cancelled;

        public CancellationToken Token => new(_cancelled);

        public void Cancel() => _cancelled = true;

        public void Cancel(bool throwOnFirstException) => _cancelled = true;

        public void CancelAfter(TimeSpan delay) => throw new NotSupportedException("A timer is cancelled by its key");

        public void CancelAfter(int millisecondsDelay) => throw new NotSupportedException("A timer is cancelled by its key");
    }
}
