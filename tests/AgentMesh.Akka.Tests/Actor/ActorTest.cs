using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace AgentMesh.EngineTests.Actor;

/// <summary>A system for one test. Expectations wait long, since the machine may be busy; what must not happen is shown by what comes next instead.</summary>
public abstract class ActorTest : Akka.TestKit.Xunit2.TestKit
{
    private const string Patient = """
        akka {
          stdout-loglevel = OFF
          log-dead-letters = off
          test { single-expect-default = 20s, default-timeout = 20s, filter-leeway = 20s }
        }
        """;

    protected ActorTest(string config = "")
        : base(ConfigurationFactory.ParseString(config).WithFallback(ConfigurationFactory.ParseString(Patient)))
    {
    }

    protected ActorTest(Setup setup)
        : base(ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(Patient)), setup))
    {
    }

    protected static TimeSpan Limit { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Makes a child of a <see cref="Puppet"/>.</summary>
    protected static IActorRef Child(IActorRef parent, Props props, string name) =>
        parent.Ask<IActorRef>(new Puppet.Spawn(props, name), Limit).GetAwaiter().GetResult();

    /// <summary>Returns when the actor has handled all that it was sent before.</summary>
    protected void Settle(IActorRef puppet) => Assert.Same(puppet, puppet.Ask<IActorRef>(Puppet.Who, Limit).GetAwaiter().GetResult());

    /// <summary>Returns when the actor has handled all that it was sent before and is idle; does not count as a message to its receive timeout.</summary>
    protected static void Idle(IActorRef puppet) => puppet.Ask<IActorRef>(Puppet.Quiet.Instance, Limit).GetAwaiter().GetResult();

    protected Props PuppetProps(SupervisorStrategy? strategy = null) => Props.Create(() => new Puppet(TestActor, strategy));

    protected Props LivelyProps() => Props.Create(() => new Lively(TestActor));

    protected static Puppet.Run Run(Action<IUntypedActorContext> work) => new(work);
}

/// <summary>A test whose scheduler stands still until it is moved.</summary>
public abstract class VirtualTimeTest : ActorTest
{
    protected VirtualTimeTest()
        : base("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, AgentMesh.Akka.TestKit\"")
    {
    }

    internal Akka.TestKit.TestScheduler Time => (Akka.TestKit.TestScheduler)Sys.Scheduler;

    protected static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}

/// <summary>Does what it is told: runs a piece of code, makes a child, throws. Everything else it reports.</summary>
public class Puppet : UntypedActor
{
    public const string Who = "who are you?";

    private readonly IActorRef _report;
    private readonly SupervisorStrategy? _strategy;

    public Puppet(IActorRef report, SupervisorStrategy? strategy = null)
    {
        _report = report;
        _strategy = strategy;
    }

    protected IActorRef Report => _report;

    protected override SupervisorStrategy SupervisorStrategy() => _strategy ?? base.SupervisorStrategy();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Run run:
                run.Work(Context);
                break;
            case Spawn spawn:
                Sender.Tell(Context.ActorOf(spawn.Props, spawn.Name));
                break;
            case Who or Quiet:
                Sender.Tell(Self);
                break;
            case Exception failure:
                throw failure;
            case Terminated ended:
                _report.Tell(new Ended(ended.ActorRef));
                break;
            default:
                _report.Forward(message);
                break;
        }
    }

    public sealed record Run(Action<IUntypedActorContext> Work);

    /// <summary>Reported: an actor that the puppet watched has ended.</summary>
    public sealed record Ended(IActorRef Actor);

    public sealed class Quiet : INotInfluenceReceiveTimeout
    {
        public static readonly Quiet Instance = new();
    }

    public sealed record Spawn(Props Props, string Name);
}

/// <summary>A puppet that also reports its life, as texts.</summary>
public sealed class Lively : Puppet
{
    public Lively(IActorRef report)
        : base(report)
    {
    }

    protected override void PreStart() => Report.Tell("started");

    protected override void PostStop() => Report.Tell("stopped");

    protected override void PreRestart(Exception reason, object message)
    {
        Report.Tell($"restarting after {reason.Message}");
        base.PreRestart(reason, message);
    }

    protected override void PostRestart(Exception reason)
    {
        Report.Tell($"restarted after {reason.Message}");
        base.PostRestart(reason);
    }
}

internal sealed class Broken(string message = "broken") : Exception(message);
