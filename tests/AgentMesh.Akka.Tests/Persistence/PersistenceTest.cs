using AgentMesh.Engine;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace AgentMesh.Tests.Persistence;

/// <summary>An actor system with a journal that can be made to fail.</summary>
public abstract class PersistenceTest : IDisposable
{
    private readonly string _faultsName = Guid.NewGuid().ToString("N");
    private int _count;

    protected PersistenceTest(string extra = "", string recoveryPatience = "60s", EngineSetup? setup = null)
    {
        Faults.ByName[_faultsName] = Faults;
        BootstrapSetup bootstrap = BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString($$"""
            recovery-patience = {{recoveryPatience}}
            {{extra}}
            akka.loglevel = ERROR
            akka.stdout-loglevel = OFF
            akka.log-dead-letters = off
            akka.persistence {
              journal {
                plugin = "akka.persistence.journal.faulty"
                faulty { class = "AgentMesh.Tests.Persistence.FaultyJournal, AgentMesh.Akka.Tests", faults = "{{_faultsName}}", recovery-event-timeout = ${recovery-patience} }
              }
              snapshot-store {
                plugin = "akka.persistence.snapshot-store.faulty"
                faulty { class = "AgentMesh.Tests.Persistence.FaultySnapshotStore, AgentMesh.Akka.Tests", faults = "{{_faultsName}}" }
              }
            }
            """));
        System = ActorSystem.Create("persistence-" + _faultsName[..8], setup is null ? ActorSystemSetup.Create(bootstrap) : ActorSystemSetup.Create(bootstrap, setup));
    }

    protected ActorSystem System { get; }

    private protected Faults Faults { get; } = new();

    private protected Log Log { get; } = new();

    private protected TaskCompletionSource Gate { get; } = new();

    public void Dispose()
    {
        System.Terminate().Wait(TimeSpan.FromSeconds(20));
        Faults.ByName.TryRemove(_faultsName, out _);
        GC.SuppressFinalize(this);
    }

    /// <summary>Number of the actor that was started last, which names it.</summary>
    private protected int Count => _count;

    private protected IActorRef Start(string id = "p", ScriptOptions? options = null)
    {
        ScriptOptions chosen = options ?? new ScriptOptions();
        Log log = Log;
        return System.ActorOf(Props.Create(() => new ScriptActor(id, log, chosen)), $"a{++_count}");
    }

    /// <summary>Starts an actor that stored these events, and stops it again.</summary>
    private protected void Given(string id, params string[] events)
    {
        IActorRef actor = Start(id);
        Log.Expect("completed at 0");
        actor.Tell(new Run(a => a.PAll(events)));
        Log.Expect([.. events.Select((e, i) => $"stored {e}@{(events.Length == 1 ? 1 : i + 1)}")]);
        Stop(actor);
    }

    private protected IActorRef Started(ScriptOptions? options = null)
    {
        IActorRef actor = Start("p", options);
        Log.Expect("completed at 0");
        return actor;
    }

    /// <summary>Starts one whose writes wait for <see cref="Gate"/>.</summary>
    private protected IActorRef StartWithSlowJournal(ScriptOptions? options = null)
    {
        IActorRef actor = Started(options);
        Faults.BeforeWrite = _ => Gate.Task;
        return actor;
    }

    private protected void Stop(IActorRef actor)
    {
        actor.Tell(PoisonPill.Instance);
        Log.Expect("stopped");
    }
}
