using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>Processes are stopped, given up by the others, and go on with everything that was under way.</summary>
internal sealed class StoppedWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    protected override void Disturb()
    {
        if (IsStorm)
        {
            Fault("stopped");
            Pause(Any(), 0.2, 30);
            Later(0.5, 20, Disturb);
        }
    }
}
