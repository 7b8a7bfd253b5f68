using Akka.Actor.Internal;
using Akka.Event;
using Akka.Util.Internal;

namespace Akka.Actor;

/// <summary>How an actor handles the failures of its children.</summary>
public abstract class SupervisorStrategy
{
    /// <summary>Stops what could not be created, was killed or lost an actor it watched; restarts everything else.</summary>
    public static IDecider DefaultDecider = Actor.Decider.From(Directive.Restart, Directive.Stop.When<ActorInitializationException>(), Directive.Stop.When<ActorKilledException>(), Directive.Stop.When<DeathPactException>());

    /// <summary>One for one with <see cref="DefaultDecider"/> and no limit.</summary>
    public static readonly SupervisorStrategy DefaultStrategy = new OneForOneStrategy(DefaultDecider);

    /// <summary>Stops whatever fails.</summary>
    public static readonly OneForOneStrategy StoppingStrategy = new(static _ => Directive.Stop);

    public abstract IDecider Decider { get; }

    protected bool LoggingEnabled { get; set; } = true;

    /// <summary>Decides and acts. Runs in the supervisor.</summary>
    /// <returns>False when the failure is to be escalated.</returns>
    public bool HandleFailure(ActorCell actorCell, IActorRef child, Exception cause, ChildRestartStats stats, IReadOnlyCollection<ChildRestartStats> children)
    {
        Directive directive = Handle(child, cause);
        LogFailure(actorCell, child, cause, directive);
        switch (directive)
        {
            case Directive.Resume:
                ResumeChild(child, cause);
                return true;
            case Directive.Restart:
                ProcessFailure(actorCell, true, child, cause, stats, children);
                return true;
            case Directive.Stop:
                ProcessFailure(actorCell, false, child, cause, stats, children);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Called when a child has ended and is not among the children any more.</summary>
    public abstract void HandleChildTerminated(IActorContext actorContext, IActorRef child, IEnumerable<IInternalActorRef> children);

    /// <summary>Restarts (or, when the limit is reached, stops) or stops the child and whoever shares its fate.</summary>
    public abstract void ProcessFailure(IActorContext context, bool restart, IActorRef child, Exception cause, ChildRestartStats stats, IReadOnlyCollection<ChildRestartStats> children);

    protected abstract Directive Handle(IActorRef child, Exception exception);

    /// <param name="suspendFirst">True for a child that did not fail itself and is still running.</param>
    protected void RestartChild(IActorRef child, Exception cause, bool suspendFirst)
    {
        var internalChild = (IInternalActorRef)child;
        if (suspendFirst)
            internalChild.Suspend();
        internalChild.Restart(cause);
    }

    protected void ResumeChild(IActorRef child, Exception exception) => ((IInternalActorRef)child).Resume(exception);

    protected virtual void LogFailure(IActorContext context, IActorRef child, Exception cause, Directive directive)
    {
        if (!LoggingEnabled || directive == Directive.Escalate)
            return;
        string message = cause is ActorInitializationException { InnerException: { } inner } ? inner.Message : cause.Message;
        string source = child.Path.ToString();
        context.System.EventStream.Publish(directive == Directive.Resume
            ? new Warning(cause, source, GetType(), message)
            : new Error(cause, source, GetType(), message));
    }

    private protected static int Milliseconds(TimeSpan? range) => range is { } time ? (int)Math.Min(time.TotalMilliseconds, int.MaxValue) : 0;
}

/// <summary>Only the child that failed is concerned.</summary>
public class OneForOneStrategy : SupervisorStrategy, IEquatable<OneForOneStrategy>
{
    protected OneForOneStrategy()
        : this(DefaultDecider)
    {
    }

    public OneForOneStrategy(IDecider decider)
        : this(-1, -1, decider)
    {
    }

    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(-1, -1, localOnlyDecider, loggingEnabled)
    {
    }

    /// <param name="maxNrOfRetries">Restarts within the time range before the child is stopped; null or -1 for no limit.</param>
    /// <param name="withinTimeRange">Null or not positive: all time.</param>
    public OneForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    public OneForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), decider)
    {
    }

    public OneForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new LocalOnlyDecider(localOnlyDecider), loggingEnabled)
    {
    }

    public OneForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
    {
        MaxNumberOfRetries = maxNrOfRetries;
        WithinTimeRangeMilliseconds = withinTimeMilliseconds;
        Decider = decider;
        LoggingEnabled = loggingEnabled;
    }

    public int MaxNumberOfRetries { get; }

    public int WithinTimeRangeMilliseconds { get; }

    public override IDecider Decider { get; }

    public OneForOneStrategy WithMaxNrOfRetries(int maxNrOfRetries) => new(maxNrOfRetries, WithinTimeRangeMilliseconds, Decider, LoggingEnabled);

    public override void HandleChildTerminated(IActorContext actorContext, IActorRef child, IEnumerable<IInternalActorRef> children)
    {
    }

    public override void ProcessFailure(IActorContext context, bool restart, IActorRef child, Exception cause, ChildRestartStats stats, IReadOnlyCollection<ChildRestartStats> children)
    {
        if (restart && stats.RequestRestartPermission(MaxNumberOfRetries, WithinTimeRangeMilliseconds))
            RestartChild(child, cause, suspendFirst: false);
        else
            context.Stop(child);
    }

    public bool Equals(OneForOneStrategy? other) =>
        other is not null && MaxNumberOfRetries == other.MaxNumberOfRetries && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds && Equals(Decider, other.Decider);

    public override bool Equals(object? obj) => Equals(obj as OneForOneStrategy);

    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider);

    protected override Directive Handle(IActorRef child, Exception exception) => Decider.Decide(exception);
}

/// <summary>All children share the fate of the one that failed.</summary>
public class AllForOneStrategy : SupervisorStrategy, IEquatable<AllForOneStrategy>
{
    protected AllForOneStrategy()
        : this(DefaultDecider)
    {
    }

    public AllForOneStrategy(IDecider decider)
        : this(-1, -1, decider)
    {
    }

    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider)
    {
    }

    /// <param name="maxNrOfRetries">Restarts within the time range before the children are stopped; null or -1 for no limit.</param>
    /// <param name="withinTimeRange">Null or not positive: all time.</param>
    public AllForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), localOnlyDecider)
    {
    }

    public AllForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, Milliseconds(withinTimeRange), decider)
    {
    }

    public AllForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(maxNrOfRetries, withinTimeMilliseconds, new LocalOnlyDecider(localOnlyDecider), loggingEnabled)
    {
    }

    public AllForOneStrategy(int maxNrOfRetries, int withinTimeMilliseconds, IDecider decider, bool loggingEnabled = true)
    {
        MaxNumberOfRetries = maxNrOfRetries;
        WithinTimeRangeMilliseconds = withinTimeMilliseconds;
        Decider = decider;
        LoggingEnabled = loggingEnabled;
    }

    public int MaxNumberOfRetries { get; }

    public int WithinTimeRangeMilliseconds { get; }

    public override IDecider Decider { get; }

    public override void HandleChildTerminated(IActorContext actorContext, IActorRef child, IEnumerable<IInternalActorRef> children)
    {
    }

    public override void ProcessFailure(IActorContext context, bool restart, IActorRef child, Exception cause, ChildRestartStats stats, IReadOnlyCollection<ChildRestartStats> children)
    {
        if (restart && children.All(c => c.RequestRestartPermission(MaxNumberOfRetries, WithinTimeRangeMilliseconds)))
        {
            foreach (ChildRestartStats one in children)
                RestartChild(one.Child, cause, suspendFirst: !child.Equals(one.Child));
        }
        else
        {
            foreach (ChildRestartStats one in children)
                context.Stop(one.Child);
        }
    }

    public bool Equals(AllForOneStrategy? other) =>
        other is not null && MaxNumberOfRetries == other.MaxNumberOfRetries && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds && Equals(Decider, other.Decider);

    public override bool Equals(object? obj) => Equals(obj as AllForOneStrategy);

    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider);

    protected override Directive Handle(IActorRef child, Exception exception) => Decider.Decide(exception);
}

/// <summary>Makes the strategy that the configuration names for the user guardian.</summary>
public abstract class SupervisorStrategyConfigurator
{
    public static SupervisorStrategyConfigurator CreateConfigurator(string typeName) =>
        TypeResolver.Create<SupervisorStrategyConfigurator>(typeName, "akka.actor.guardian-supervisor-strategy");

    public abstract SupervisorStrategy Create();
}

public class DefaultSupervisorStrategy : SupervisorStrategyConfigurator
{
    public override SupervisorStrategy Create() => SupervisorStrategy.DefaultStrategy;
}

public class StoppingSupervisorStrategy : SupervisorStrategyConfigurator
{
    public override SupervisorStrategy Create() => SupervisorStrategy.StoppingStrategy;
}
