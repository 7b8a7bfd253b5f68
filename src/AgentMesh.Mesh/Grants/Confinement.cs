namespace AgentMesh.Mesh.Grants;

/// <summary>What a program that another device starts by a single grant may reach, beside what every program needs: nothing else of the user's files.</summary>
/// <param name="Writable">Read, write and execute in these and below, as the grants say.</param>
/// <param name="Readable">Read and execute.</param>
/// <param name="Changeable">Where programs of any device that are locked in may write, on this device: a link that lies there may have been made by one of them.</param>
public sealed record Confinement(IReadOnlyList<string> Writable, IReadOnlyList<string> Readable, IReadOnlyList<string> Changeable)
{
    /// <param name="grants">Of the device that starts the program.</param>
    /// <param name="all">Of all devices.</param>
    public static Confinement Of(IEnumerable<string> grants, IEnumerable<string> all) =>
        new([.. Values(grants, Grant.DirectoryKind)], [.. Values(grants, Grant.ReadKind)], [.. Values(all, Grant.DirectoryKind).Distinct(StringComparer.Ordinal)]);

    /// <summary>Whether who has these grants may start some programs and not all: those that are locked in.</summary>
    public static bool IsFor(IReadOnlySet<string> grants) => !grants.Contains(Grant.Run) && Values(grants, Grant.RunKind).Any();

    /// <summary>What both allow, where two devices stand behind one program; null is everything.</summary>
    public static Confinement? Both(Confinement? a, Confinement? b)
    {
        if (a is null || b is null)
        {
            return a ?? b;
        }

        string[] writable = [.. Common(a.Writable, b.Writable)];
        IEnumerable<string> readable = Common([.. a.Writable, .. a.Readable], [.. b.Writable, .. b.Readable]).Where(path => !writable.Any(wide => IsBelow(path, wide)));
        return new Confinement(writable, [.. readable], [.. a.Changeable.Union(b.Changeable, StringComparer.Ordinal)]);
    }

    /// <summary>Whether a whole path is another one, or lies below it.</summary>
    public static bool IsBelow(string path, string directory) =>
        path == directory || path.StartsWith(directory == "/" ? directory : directory + "/", StringComparison.Ordinal);

    private static IEnumerable<string> Values(IEnumerable<string> grants, string kind) =>
        grants.Where(grant => grant.StartsWith(kind, StringComparison.Ordinal)).Select(grant => grant[kind.Length..]);

    private static IEnumerable<string> Common(IReadOnlyList<string> some, IReadOnlyList<string> others) =>
        some.Where(path => others.Any(other => IsBelow(path, other)))
            .Concat(others.Where(path => some.Any(other => IsBelow(path, other))))
            .Distinct(StringComparer.Ordinal);
}
