using System.Collections.Concurrent;
using System.Globalization;
using AgentMesh.Engine;
using AgentMesh.Mesh.Contracts;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace Simulation.Engine;

/// <summary>One life of a node's process: its clock and its disk, which outlive it, and the actor systems that run in it.</summary>
internal sealed class SimMachine
{
    private static readonly ConcurrentDictionary<string, SimMachine> ByName = new();
    private static long s_count;

    private readonly string _name = Interlocked.Increment(ref s_count).ToString(CultureInfo.InvariantCulture);

    public SimMachine(SimLoop loop, SimClock clock, SimDisk disk, SimProcess? process = null)
    {
        Loop = loop;
        Clock = clock;
        Disk = disk;
        Process = process ?? new SimProcess(loop);
        ByName[_name] = this;
    }

    public SimLoop Loop { get; }

    public SimClock Clock { get; }

    public SimDisk Disk { get; }

    public SimProcess Process { get; }

    /// <summary>What is known of this process beyond it, and is to be forgotten with it.</summary>
    public Action Killed { get; set; } = static () => { };

    public static SimMachine Find(string name) => ByName[name];

    /// <summary>At the end of a world, which is not kept.</summary>
    public static void ForgetAll()
    {
        foreach (SimMachine machine in ByName.Values)
        {
            machine.Kill();
        }
    }

    /// <param name="product">What the product would run with; of that, only what would reach out of the simulation is replaced.</param>
    public ActorSystem CreateSystem(Config product, params Setup[] setups)
    {
        Config simulated = ConfigurationFactory.ParseString($$"""
            simulation.machine = "{{_name}}"
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              loggers = []
              log-dead-letters = off
              coordinated-shutdown.run-by-clr-shutdown-hook = off
              scheduler.implementation = "Simulation.Engine.SimScheduler, Simulation"
              actor {
                default-dispatcher { executor = "Simulation.Engine.SimExecutorConfigurator, Simulation", throughput = 1 }
                default-blocking-io-dispatcher { executor = "Simulation.Engine.SimExecutorConfigurator, Simulation" }
              }
              persistence {
                journal { plugin = "akka.persistence.journal.sim", sim { class = "Simulation.Engine.SimJournal, Simulation", machine = "{{_name}}" } }
                snapshot-store { plugin = "akka.persistence.snapshot-store.sim", sim { class = "Simulation.Engine.SimSnapshots, Simulation", machine = "{{_name}}" } }
              }
            }
            """).WithFallback(product).WithFallback(ConfigurationFactory.ParseString(MeshSerializer.Hocon()));
        return ActorSystem.Create("agentmesh", ActorSystemSetup.Create([new EngineSetup(Clock, Loop.Random), BootstrapSetup.Create().WithConfig(simulated), .. setups]));
    }

    /// <summary>As kill -9: nothing runs any more, nothing says goodbye.</summary>
    public void Kill()
    {
        Process.Kill();
        ByName.TryRemove(_name, out _);
        Killed();
    }
}
