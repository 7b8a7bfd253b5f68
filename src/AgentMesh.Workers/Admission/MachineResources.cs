using AgentMesh.Mesh.Turns;

namespace AgentMesh.Workers.Admission;

/// <summary>What a device has by itself: its cores and its memory, as far as this process may use them.</summary>
public static class MachineResources
{
    private const long Thousand = 1_000;

    public static ResourceAmounts Found() => ResourceAmounts.Of(
    [
        KeyValuePair.Create(ResourceAmounts.Cpu, Environment.ProcessorCount * Thousand),

        // Within the limit of a container, where there is one.
        KeyValuePair.Create(ResourceAmounts.Memory, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * Thousand),
    ]);

    /// <param name="declared">Of the settings; zero takes away what was found.</param>
    public static ResourceAmounts With(IReadOnlyDictionary<string, long> declared)
    {
        Dictionary<string, long> all = Found().Thousandths.ToDictionary(each => each.Key, each => each.Value, StringComparer.Ordinal);
        foreach ((string name, long amount) in declared)
        {
            all[name] = amount;
        }

        return ResourceAmounts.Of(all);
    }
}
