using Akka.Actor.Setup;

namespace AgentMesh.Engine;

/// <summary>
/// Gives an actor system its clock and its source of chance, so that a simulator can run it in virtual time.
/// Without it the system clock and the process-wide random source are used.
/// </summary>
public sealed class EngineSetup : Setup
{
    /// <param name="clock">Every deadline, timer and timestamp of the engine comes from it.</param>
    /// <param name="random">Used for uids, jitter and names; must be safe for several threads unless the dispatchers are single-threaded.</param>
    public EngineSetup(TimeProvider clock, Random random)
    {
        Clock = clock;
        Random = random;
    }

    public TimeProvider Clock { get; }

    public Random Random { get; }
}
