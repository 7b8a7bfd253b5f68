using System.Collections.Immutable;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Grants;

/// <summary>What a device may do on another, beyond the commands that every admitted device may use. Nothing, unless it was granted.</summary>
public static class Grant
{
    /// <summary>Start programs.</summary>
    public const string Run = "run";

    /// <summary>Read the output of jobs that are at home here.</summary>
    public const string Logs = "logs";

    /// <summary>Let others into the mesh, as far as this device is concerned; counts where <see cref="Registry.Introductions.Granted"/> is asked for.</summary>
    public const string Introduce = "introduce";

    public static ImmutableSortedSet<string> All { get; } = ImmutableSortedSet.Create(StringComparer.Ordinal, Run, Logs, Introduce);

    /// <exception cref="MeshException">AM0332: a name is none of <see cref="All"/>.</exception>
    public static ImmutableSortedSet<string> Check(IEnumerable<string> names)
    {
        ImmutableSortedSet<string> wanted = names.Select(name => name.Trim().ToLowerInvariant()).ToImmutableSortedSet(StringComparer.Ordinal);
        string? unknown = wanted.Except(All).FirstOrDefault();
        return unknown is null ? wanted : throw new MeshException(MeshErrors.BadGrant, $"'{unknown}' is nothing that can be granted", $"grants are: {string.Join(", ", All)}");
    }
}
