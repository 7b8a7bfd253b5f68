using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Contracts;

/// <summary>What jobs ask for, on the wire and on disk.</summary>
internal static class PlacementParts
{
    /// <summary>Nothing for a job that asks for nothing: as versions before wrote it.</summary>
    public static Wire.Needs? ToWire(JobNeeds needs)
    {
        if (needs == JobNeeds.None)
        {
            return null;
        }

        var wire = new Wire.Needs { Priority = needs.Priority };
        wire.Resources.Add(needs.Resources.Thousandths.ToDictionary(each => each.Key, each => each.Value, StringComparer.Ordinal));
        if (needs.Group is { } group)
        {
            wire.Group = group;
        }

        return wire;
    }

    public static JobNeeds FromWire(Wire.Needs? wire)
    {
        if (wire is null)
        {
            return JobNeeds.None;
        }

        if (wire.Priority is < -JobNeeds.PriorityMax or > JobNeeds.PriorityMax || (wire.HasGroup && !GroupName.IsValid(wire.Group)))
        {
            throw new ContractException("no priority or group of a job");
        }

        try
        {
            return new JobNeeds(ResourceAmounts.Of(wire.Resources), wire.Priority, wire.HasGroup ? wire.Group : null);
        }
        catch (MeshException wrong)
        {
            throw new ContractException("no resources of a job", wrong);
        }
    }
}
