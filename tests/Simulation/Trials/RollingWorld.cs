using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>Every node is killed and started again in turn, at the same address and within seconds, under load.</summary>
internal sealed class RollingWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    private int _next;

    protected override void Disturb()
    {
        if (IsStorm)
        {
            Fault("restarted");
            Restart(Nodes[_next++ % Nodes.Count], 0.05, 4, keepsPrograms: Loop.Chance(0.5));
            Later(0.2, 12, Disturb);
        }
    }
}
