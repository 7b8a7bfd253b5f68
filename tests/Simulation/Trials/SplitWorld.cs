using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>The mesh is split in two and heals, again and again; jobs go on at both sides.</summary>
internal sealed class SplitWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 4, told)
{
    protected override bool HasProbes => true;

    protected override void Disturb()
    {
        if (!IsStorm)
        {
            return;
        }

        Fault("split");
        MeshNode[] left = [.. Nodes.Where(_ => Loop.Chance(0.5))];
        CutBetween(left, [.. Nodes.Except(left)]);
        Later(0.5, 45, () =>
        {
            HealAll();
            Later(0.5, 25, Disturb);
        });
    }
}
