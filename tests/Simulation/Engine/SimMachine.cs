using System.Collections.Concurrent;
using System.Globalization;
using AgentMesh.Engine;
using AgentMesh.Mesh.Contracts;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace Simulation.Engine;

/// <summary>One life of a node's process: its actor system, its clock and its disk. The disk and the clock outlive it.</summary>
internal sealed class SimMachine
{
    private static readonly ConcurrentDictionary<string, SimMachine> ByName = new();
    private static long s_count;

    private readonly string _name = Interlocked.Increment(ref s_count).ToString(CultureInfo.InvariantCulture);

    public SimMachine(SimLoop loop, SimClock clock, SimDisk disk)
    {
        Loop = loop;
        Clock = clock;
        Disk = disk;
        ByName[_name] = this;
        Config config = ConfigurationFactory.ParseString($$"""
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
            """).WithFallback(ConfigurationFactory.ParseString(MeshSerializer.Hocon()));
        System = ActorSystem.Create("agentmesh", ActorSystemSetup.Create(new EngineSetup(clock, loop.Random), BootstrapSetup.Create().WithConfig(config)));
    }

    public SimLoop Loop { get; }

    public SimClock Clock { get; }

    public SimDisk Disk { get; }

    public SimProcess Process { get; } = new();

    public ActorSystem System { get; }

    public static SimMachine Find(string name) => ByName[name];

    /// <summary>As kill -9: nothing runs any more, nothing says goodbye.</summary>
    public void Kill()
    {
        Process.Kill();
        ByName.TryRemove(_name, out _);
    }
}
