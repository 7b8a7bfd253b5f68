using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Runs on each message a test actor gets, before the test sees it; answers which pilot runs on the next one.</summary>
public abstract class AutoPilot
{
    protected AutoPilot()
    {
    }

    public static NoAutoPilot NoAutoPilot => NoAutoPilot.Instance;

    public static KeepRunning KeepRunning => KeepRunning.Instance;

    public abstract AutoPilot Run(IActorRef sender, object message);
}

/// <summary>Ends the run of a pilot.</summary>
public sealed class NoAutoPilot : AutoPilot
{
    public static NoAutoPilot Instance = new();

    private NoAutoPilot()
    {
    }

    public override AutoPilot Run(IActorRef sender, object message) => this;
}

/// <summary>As an answer: the same pilot again.</summary>
public sealed class KeepRunning : AutoPilot
{
    public static KeepRunning Instance = new();

    private KeepRunning()
    {
    }

    public override AutoPilot Run(IActorRef sender, object message) => throw new InvalidOperationException("KeepRunning is an answer of a pilot and cannot run itself");
}

public delegate AutoPilot AutoPilotDelegate(IActorRef sender, object message);

public sealed class DelegateAutoPilot : AutoPilot
{
    private readonly AutoPilotDelegate _run;

    public DelegateAutoPilot(AutoPilotDelegate autoPilotDelegate) => _run = autoPilotDelegate;

    public override AutoPilot Run(IActorRef sender, object message) => _run(sender, message);
}
