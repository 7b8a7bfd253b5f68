using Akka.Actor;
using Akka.Event;

namespace Akka.Pattern;

/// <summary>Starts a child again after it has stopped, each time after a longer delay. Messages go to the child, the child's messages to the parent.</summary>
public sealed class BackoffSupervisor : BackoffSupervisorBase
{
    private readonly TimeSpan _minBackoff;
    private readonly TimeSpan _maxBackoff;
    private readonly double _randomFactor;
    private readonly SupervisorStrategy _strategy;

    public BackoffSupervisor(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor)
        : this(childProps, childName, minBackoff, maxBackoff, new AutoReset(minBackoff), randomFactor, Actor.SupervisorStrategy.DefaultStrategy)
    {
    }

    public BackoffSupervisor(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, IBackoffReset reset, double randomFactor, SupervisorStrategy strategy, object replyWhileStopped = null!, Func<object, bool> finalStopMessage = null!)
        : base(childProps, childName, reset, replyWhileStopped, finalStopMessage)
    {
        _minBackoff = minBackoff;
        _maxBackoff = maxBackoff;
        _randomFactor = randomFactor;
        _strategy = strategy;
    }

    public static Props Props(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor) =>
        Backoff.OnStop(childProps, childName, minBackoff, maxBackoff, randomFactor).Props;

    public static Props Props(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, int maxNrOfRetries) =>
        Backoff.OnStop(childProps, childName, minBackoff, maxBackoff, randomFactor, maxNrOfRetries).Props;

    public static Props Props(BackoffOptions options) => options.Props;

    public static Props PropsWithSupervisorStrategy(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, SupervisorStrategy strategy) =>
        Actor.Props.Create(() => new BackoffSupervisor(childProps, childName, minBackoff, maxBackoff, new AutoReset(minBackoff), randomFactor, strategy, null!, null!));

    protected override SupervisorStrategy SupervisorStrategy() => _strategy;

    protected override bool Receive(object message)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(Child))
            return HandleBackoff(message);
        Child = null!;
        int limit = _strategy is OneForOneStrategy { MaxNumberOfRetries: >= 0 and var retries } ? retries : int.MaxValue;
        if (FinalStopMessageReceived || RestartCountN >= limit)
        {
            Context.Stop(Self);
            return true;
        }

        Context.System.Scheduler.ScheduleTellOnce(Delay(_minBackoff, _maxBackoff, _randomFactor), Self, StartChild.Instance, Self);
        RestartCountN++;
        return true;
    }

    /// <summary>Asks for the child; answered with <see cref="CurrentChild"/>.</summary>
    public sealed class GetCurrentChild
    {
        public static readonly GetCurrentChild Instance = new();

        private GetCurrentChild()
        {
        }
    }

    public sealed class CurrentChild
    {
        public CurrentChild(IActorRef @ref) => Ref = @ref;

        /// <summary>Null while it is not running.</summary>
        public IActorRef Ref { get; }
    }

    /// <summary>From the child: all is well, forget earlier failures.</summary>
    public new sealed class Reset
    {
        public static readonly Reset Instance = new();

        private Reset()
        {
        }
    }

    /// <summary>Asks for the number of failures; answered with <see cref="RestartCount"/>.</summary>
    public sealed class GetRestartCount
    {
        public static readonly GetRestartCount Instance = new();

        private GetRestartCount()
        {
        }
    }

    public sealed class RestartCount
    {
        public RestartCount(int count) => Count = count;

        public int Count { get; }
    }

    public sealed class StartChild : IDeadLetterSuppression
    {
        public static readonly StartChild Instance = new();

        private StartChild()
        {
        }
    }

    public sealed class ResetRestartCount : IDeadLetterSuppression
    {
        public ResetRestartCount(int current) => Current = current;

        public int Current { get; }
    }
}
