using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Selectors;

/// <summary>
/// Which of several devices takes a job: one that can begin it at once before one where it waits, then the one with the least to do, then the nearest. One
/// that will never have what is asked for is left out; of one that does not say what it has, it is assumed that it has enough.
/// </summary>
public static class BestDevice
{
    private const int NamesShown = 10;

    /// <param name="online">Not empty.</param>
    /// <param name="label">What they have in common.</param>
    /// <returns>The device, and in words why.</returns>
    /// <exception cref="MeshException">AM0393: none of them has so much.</exception>
    public static (Candidate Device, string Why) Of(IReadOnlyList<Candidate> online, ResourceAmounts needs, string label)
    {
        Candidate[] able = [.. online.Where(device => device.Load.Capacity is not { } capacity || needs.FitsIn(capacity))];
        if (able.Length == 0)
        {
            throw new MeshException(
                MeshErrors.ImpossibleNeeds,
                $"no device with the label '{label}' has so much: {string.Join("; ", online.Take(NamesShown).Select(device => $"{device.Name} {ImpossibleNeeds.Of(needs, device.Load.Capacity!)}"))}",
                ImpossibleNeeds.NextStep);
        }

        Candidate best = able
            .OrderBy(device => CanBegin(device, needs) ? 0 : 1)
            .ThenBy(static device => device.Running + device.Load.Waiting)
            .ThenBy(static device => device.Distance)
            .ThenBy(static device => device.Name, StringComparer.Ordinal)
            .First();
        string others = string.Join(", ", able.Where(device => device != best).Take(NamesShown).Select(device => $"{device.Name}: {Shown(device, needs)}"));
        return (best, $"{Shown(best, needs)}; {(others.Length > 0 ? $"others with the label '{label}': {others}" : $"no other device with the label '{label}' that is online has enough")}");
    }

    private static bool CanBegin(Candidate device, ResourceAmounts needs) => device.Load.Capacity is null || needs.FitsIn(device.Load.Free);

    private static string Shown(Candidate device, ResourceAmounts needs)
    {
        string work = string.Create(CultureInfo.InvariantCulture, $"{device.Running} running, {device.Load.Waiting} waiting");
        string free = device.Load.Capacity is null || needs.IsNone
            ? ""
            : ", free " + string.Join(", ", needs.Names.Select(name => $"{name} {ResourceAmounts.Shown(name, device.Load.Free[name])} of {ResourceAmounts.Shown(name, device.Load.Capacity[name])}"));
        return work + free;
    }
}
