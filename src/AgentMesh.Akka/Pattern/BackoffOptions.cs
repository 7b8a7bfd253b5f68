using Akka.Actor;

namespace Akka.Pattern;

/// <summary>When a back-off supervisor forgets earlier failures of its child.</summary>
public interface IBackoffReset
{
}

/// <summary>On <see cref="BackoffSupervisor.Reset"/> from the child.</summary>
internal sealed record ManualReset : IBackoffReset;

/// <summary>When the child has run this long without a failure.</summary>
internal sealed record AutoReset(TimeSpan ResetBackoff) : IBackoffReset;

/// <summary>Options of a supervisor that starts its child again after growing delays.</summary>
public static class Backoff
{
    private const int NoLimit = -1;

    /// <summary>For a child that stops itself to say that it cannot go on.</summary>
    /// <param name="randomFactor">0.2 makes each delay up to 20 % longer, so that many children do not start at the same moment.</param>
    public static BackoffOptions OnStop(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor) =>
        OnStop(childProps, childName, minBackoff, maxBackoff, randomFactor, NoLimit);

    /// <param name="maxNrOfRetries">-1: no limit.</param>
    public static BackoffOptions OnStop(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, int maxNrOfRetries) =>
        Of(onStop: true, childProps, childName, minBackoff, maxBackoff, randomFactor, maxNrOfRetries);

    /// <summary>For a child that throws.</summary>
    public static BackoffOptions OnFailure(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor) =>
        OnFailure(childProps, childName, minBackoff, maxBackoff, randomFactor, NoLimit);

    /// <param name="maxNrOfRetries">-1: no limit.</param>
    public static BackoffOptions OnFailure(Props childProps, string childName, TimeSpan minBackoff, TimeSpan maxBackoff, double randomFactor, int maxNrOfRetries) =>
        Of(onStop: false, childProps, childName, minBackoff, maxBackoff, randomFactor, maxNrOfRetries);

    private static BackoffPlan Of(bool onStop, Props childProps, string childName, TimeSpan min, TimeSpan max, double randomFactor, int retries) =>
        new(onStop, childProps, childName, min, max, randomFactor, new AutoReset(min), SupervisorStrategy.DefaultStrategy is OneForOneStrategy strategy ? strategy.WithMaxNrOfRetries(retries) : null!, null, null);
}

/// <summary>Immutable; each method returns a changed copy.</summary>
public abstract class BackoffOptions
{
    /// <summary>Forgets failures when the child has run this long. The default, with the shortest delay.</summary>
    public abstract BackoffOptions WithAutoReset(TimeSpan resetBackoff);

    /// <summary>Forgets failures when the child says so with <see cref="BackoffSupervisor.Reset"/>.</summary>
    public abstract BackoffOptions WithManualReset();

    public abstract BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy);

    public abstract BackoffOptions WithDefaultStoppingStrategy();

    /// <param name="maxNrOfRetries">-1: no limit.</param>
    public abstract BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries);

    /// <summary>Answers messages that come while the child is not there; without it they become dead letters.</summary>
    public abstract BackoffOptions WithReplyWhileStopped(object replyWhileStopped);

    /// <summary>After a message for which this is true, a stop of the child is the end of the supervisor.</summary>
    public abstract BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage);

    internal abstract Props Props { get; }
}

internal sealed record BackoffPlanState(
    bool OnStop, Props ChildProps, string ChildName, TimeSpan Min, TimeSpan Max, double RandomFactor, IBackoffReset Reset, OneForOneStrategy Strategy, object? ReplyWhileStopped, Func<object, bool>? FinalStopMessage);

internal sealed class BackoffPlan : BackoffOptions
{
    private readonly BackoffPlanState _state;

    public BackoffPlan(bool onStop, Props childProps, string childName, TimeSpan min, TimeSpan max, double randomFactor, IBackoffReset reset, OneForOneStrategy strategy, object? reply, Func<object, bool>? finalStop)
        : this(new BackoffPlanState(onStop, childProps, childName, min, max, randomFactor, reset, strategy, reply, finalStop))
    {
    }

    private BackoffPlan(BackoffPlanState state)
    {
        if (state.Min <= TimeSpan.Zero)
            throw new ArgumentException($"The shortest delay must be positive, not {state.Min}");
        if (state.Max < state.Min)
            throw new ArgumentException($"The longest delay ({state.Max}) must not be below the shortest ({state.Min})");
        if (state.RandomFactor is < 0 or > 1)
            throw new ArgumentException($"The random factor must be from 0 to 1, not {state.RandomFactor}");
        if (state.Reset is AutoReset reset && (reset.ResetBackoff < state.Min || reset.ResetBackoff > state.Max))
            throw new ArgumentException($"The time of the automatic reset ({reset.ResetBackoff}) must be between the shortest and the longest delay");
        _state = state;
    }

    internal override Props Props
    {
        get
        {
            BackoffPlanState s = _state;
            return s.OnStop
                ? Actor.Props.Create(() => new BackoffSupervisor(s.ChildProps, s.ChildName, s.Min, s.Max, s.Reset, s.RandomFactor, s.Strategy, s.ReplyWhileStopped!, s.FinalStopMessage!))
                : Actor.Props.Create(() => new BackoffOnFailureSupervisor(s));
        }
    }

    public override BackoffOptions WithAutoReset(TimeSpan resetBackoff) => new BackoffPlan(_state with { Reset = new AutoReset(resetBackoff) });

    public override BackoffOptions WithManualReset() => new BackoffPlan(_state with { Reset = new ManualReset() });

    public override BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy) => new BackoffPlan(_state with { Strategy = supervisorStrategy });

    public override BackoffOptions WithDefaultStoppingStrategy() =>
        new BackoffPlan(_state with { Strategy = new OneForOneStrategy(_state.Strategy.MaxNumberOfRetries, null, static _ => Directive.Stop) });

    public override BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries) => new BackoffPlan(_state with { Strategy = _state.Strategy.WithMaxNrOfRetries(maxNrOfRetries) });

    public override BackoffOptions WithReplyWhileStopped(object replyWhileStopped) => new BackoffPlan(_state with { ReplyWhileStopped = replyWhileStopped });

    public override BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage) => new BackoffPlan(_state with { FinalStopMessage = isFinalStopMessage });
}
