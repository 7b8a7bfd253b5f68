using Simulation.Mesh;

namespace Simulation.Trials;

/// <summary>
/// Two devices do not hear each other, or one does not hear the other, while a third hears both: those who hear each other work together all the time, and
/// nobody starts over again and again.
/// </summary>
internal sealed class PartialWorld(int seed, Action<string>? told) : MeshWorld(seed, nodes: 3, told)
{
    /// <summary>
    /// Generations that a device may begin while one line is bad: none is needed, and one where the third device was not heard for a moment as well.
    /// </summary>
    private const int GenerationsMax = 1;

    private int[] _before = [];

    protected override bool HasProbes => true;

    protected override TimeSpan Storm => TimeSpan.FromSeconds(80);

    protected override void Disturb()
    {
        if (Nodes.Any(node => node.Live?.Members.Count != Nodes.Count))
        {
            // A device that was still joining over the line that breaks has to begin anew: that is not what this is about.
            Later(0.5, 1, Disturb);
            return;
        }

        _before = [.. Nodes.Select(node => node.Generations)];
        MeshNode one = Any();
        MeshNode other = Nodes.Where(node => node != one).ElementAt(Loop.Random.Next(Nodes.Count - 1));
        bool isOneWay = Loop.Chance(0.5);
        Fault(isOneWay ? "one-way partition" : "partial partition");
        Loop.Note($"from {one.Number} to {other.Number}");
        Cut(one, other);
        if (!isOneWay)
        {
            Cut(other, one);
        }

        Later(20, 65, () =>
        {
            Heal(one, other);
            Heal(other, one);
            foreach (MeshNode node in Nodes)
            {
                int begun = node.Generations - _before[node.Number];
                Note("most generations of a device", begun);
                Loop.Require(begun <= GenerationsMax, () => $"device {node.Number} began {begun} generations while one line was bad");
            }
        });
    }
}
