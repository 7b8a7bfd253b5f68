namespace AgentMesh.Mesh.Turns;

/// <summary>How it is said that a device will never have what is asked for.</summary>
public static class ImpossibleNeeds
{
    public const string NextStep = "ask for less, choose another device ('agentmesh --json peers' shows what each has), or declare more in agentmesh.device.resources there";

    /// <returns>In words that follow the name of the device; null where it has enough.</returns>
    public static string? Of(ResourceAmounts wanted, ResourceAmounts capacity)
    {
        string[] lacking = [.. wanted.LackingIn(capacity)];
        return lacking.Length == 0
            ? null
            : "has " + string.Join(" and ", lacking.Select(name => capacity[name] == 0
                ? $"no {name}, and {ResourceAmounts.Shown(name, wanted[name])} is asked for"
                : $"{ResourceAmounts.Shown(name, capacity[name])} {name} in all, and {ResourceAmounts.Shown(name, wanted[name])} is asked for"));
    }
}
