using Akka.Configuration;
using Akka.Dispatch;

namespace Simulation.Engine;

/// <summary>Runs the mailboxes of an actor system in its machine's loop.</summary>
public sealed class SimExecutorConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    public override ExecutorService Produce(string id) => new SimExecutor(id, SimMachine.Find(Prerequisites.Settings.Config.GetString("simulation.machine", "")));

    private sealed class SimExecutor(string id, SimMachine machine) : ExecutorService(id)
    {
        public override void Execute(IRunnable run) => machine.Loop.Ready(machine.Process, run);

        public override void Shutdown()
        {
        }
    }
}
