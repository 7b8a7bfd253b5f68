using Akka.Actor;

namespace Akka.Pattern;

/// <summary>Starts a child again after it has failed, each time after a longer delay. A child that stops by itself ends the supervisor.</summary>
internal sealed class BackoffOnFailureSupervisor : BackoffSupervisorBase
{
    private readonly BackoffPlanState _plan;

    public BackoffOnFailureSupervisor(BackoffPlanState plan)
        : base(plan.ChildProps, plan.ChildName, plan.Reset, plan.ReplyWhileStopped, plan.FinalStopMessage) => _plan = plan;

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(Decide);

    protected override bool Receive(object message)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(Child))
            return HandleBackoff(message);
        Child = null!;
        Context.Stop(Self);
        return true;
    }

    private Directive Decide(Exception cause)
    {
        Directive wanted = _plan.Strategy.Decider.Decide(cause);
        if (wanted != Directive.Restart)
            return wanted;
        int limit = _plan.Strategy.MaxNumberOfRetries;
        if (limit >= 0 && RestartCountN >= limit)
        {
            Context.Stop(Self);
            return Directive.Stop;
        }

        IActorRef failed = Child;
        TimeSpan delay = Delay(_plan.Min, _plan.Max, _plan.RandomFactor);
        RestartCountN++;
        Become(message => WaitForEnd(message, failed, delay));
        return Directive.Stop;
    }

    /// <summary>The failed child must be gone before its name is free.</summary>
    private bool WaitForEnd(object message, IActorRef failed, TimeSpan delay)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(failed))
            return HandleBackoff(message);
        Child = null!;
        Become(Receive);
        Context.System.Scheduler.ScheduleTellOnce(delay, Self, BackoffSupervisor.StartChild.Instance, Self);
        return true;
    }
}
