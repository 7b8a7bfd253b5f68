using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Turns;

/// <summary>What a job asks for while it runs, and how it stands among others that wait.</summary>
/// <param name="Resources">Taken on the executing device for as long as an attempt runs there.</param>
/// <param name="Priority">-10 to 10; the higher goes first.</param>
/// <param name="Group">Whose limits count, and whose share the job has; null for none.</param>
public sealed record JobNeeds(ResourceAmounts Resources, int Priority = 0, string? Group = null)
{
    public const int PriorityMax = 10;

    public static JobNeeds None { get; } = new(ResourceAmounts.None);

    /// <summary>From what people write.</summary>
    /// <exception cref="MeshException">AM0390: a resource. AM0391: the priority. AM0392: the group.</exception>
    public static JobNeeds Parse(IReadOnlyList<string>? resources, int? priority, string? group)
    {
        if (priority is < -PriorityMax or > PriorityMax)
        {
            throw new MeshException(MeshErrors.BadPriority, $"{priority} is no priority", $"a priority is -{PriorityMax} to {PriorityMax}; 0 is that of every other job");
        }

        if (group is not null)
        {
            GroupName.Check(group);
        }

        return resources is null or { Count: 0 } && priority is null && group is null ? None : new JobNeeds(ResourceAmounts.Parse(resources ?? []), priority ?? 0, group);
    }
}

/// <summary>Names of groups: as those of devices, so that they need no quotes.</summary>
public static class GroupName
{
    public const int LengthMax = 63;

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= LengthMax && char.IsAsciiLetterOrDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <exception cref="MeshException">AM0392.</exception>
    public static void Check(string name)
    {
        if (!IsValid(name))
        {
            throw new MeshException(MeshErrors.BadGroupName, $"{Quoting.Quote(name)} cannot be the name of a group", $"letters, digits, '-', '_' and '.', at most {LengthMax}, beginning with a letter or a digit");
        }
    }
}
