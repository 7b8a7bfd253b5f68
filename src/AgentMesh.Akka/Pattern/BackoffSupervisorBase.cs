using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Event;

namespace Akka.Pattern;

/// <summary>What both back-off supervisors do: pass messages on, start the child, count its failures.</summary>
public abstract class BackoffSupervisorBase : ActorBase
{
    internal BackoffSupervisorBase(Props childProps, string childName, IBackoffReset reset, object? replyWhileStopped, Func<object, bool>? finalStopMessage)
    {
        ChildProps = childProps;
        ChildName = childName;
        Reset = reset;
        ReplyWhileStopped = replyWhileStopped!;
        FinalStopMessage = finalStopMessage!;
    }

    protected Props ChildProps { get; }

    protected string ChildName { get; }

    protected IBackoffReset Reset { get; }

    protected object ReplyWhileStopped { get; }

    protected Func<object, bool> FinalStopMessage { get; }

    protected IActorRef Child { get; set; } = null!;

    protected int RestartCountN { get; set; }

    protected bool FinalStopMessageReceived { get; set; }

    protected override void PreStart()
    {
        StartChildActor();
        base.PreStart();
    }

    /// <returns>False when the message is not for a supervisor of this kind.</returns>
    protected bool HandleBackoff(object message)
    {
        switch (message)
        {
            case BackoffSupervisor.StartChild:
                StartChildActor();
                if (Reset is AutoReset auto)
                    Context.System.Scheduler.ScheduleTellOnce(auto.ResetBackoff, Self, new BackoffSupervisor.ResetRestartCount(RestartCountN), Self);
                return true;
            case BackoffSupervisor.Reset:
                if (Reset is ManualReset)
                    RestartCountN = 0;
                else
                    Unhandled(message);
                return true;
            case BackoffSupervisor.ResetRestartCount reset:
                if (reset.Current == RestartCountN)
                    RestartCountN = 0;
                return true;
            case BackoffSupervisor.GetRestartCount:
                Sender.Tell(new BackoffSupervisor.RestartCount(RestartCountN));
                return true;
            case BackoffSupervisor.GetCurrentChild:
                Sender.Tell(new BackoffSupervisor.CurrentChild(Child));
                return true;
        }

        if (Child is not null && Child.Equals(Sender))
            Context.Parent.Forward(message);
        else
            ToChild(message);
        return true;
    }

    /// <summary>Doubles with every failure up to the limit, then adds the random part.</summary>
    private protected TimeSpan Delay(TimeSpan min, TimeSpan max, double randomFactor)
    {
        double ticks = Math.Min(max.Ticks, min.Ticks * Math.Pow(2, Math.Min(RestartCountN, 62)));
        ticks *= 1 + (((ActorSystemImpl)Context.System).Settings.Random.NextDouble() * randomFactor);
        return TimeSpan.FromTicks((long)Math.Min(ticks, TimeSpan.MaxValue.Ticks / 2));
    }

    private void StartChildActor()
    {
        if (Child is null)
            Child = Context.Watch(Context.ActorOf(ChildProps, ChildName));
    }

    private void ToChild(object message)
    {
        if (Child is not null)
        {
            if (!FinalStopMessageReceived && FinalStopMessage is not null)
                FinalStopMessageReceived = FinalStopMessage(message);
            Child.Forward(message);
        }
        else if (ReplyWhileStopped is not null)
        {
            Sender.Tell(ReplyWhileStopped);
        }
        else
        {
            Context.System.DeadLetters.Forward(message);
        }

        // Nobody is there to be stopped: the message itself is the end.
        if (Child is null && FinalStopMessage?.Invoke(message) == true)
            Context.Stop(Self);
    }
}
