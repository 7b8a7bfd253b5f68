using System.Collections.Immutable;

namespace AgentMesh.Mesh.Grants;

/// <summary>What is to be run on a device.</summary>
/// <param name="Program">As the caller named it, a whole path without "..". Null for a handler.</param>
/// <param name="Handler">Null for a program.</param>
public sealed record WantedCommand(string? Program, string? Handler)
{
    /// <summary>Where it shall begin, links resolved; null where it begins where all do. Asked only for a program that it may start: what is there is not for everybody to know.</summary>
    public Func<string>? Directory { get; init; }

    /// <summary>The caller adds variables to its environment.</summary>
    public bool HasVariables { get; init; }

    /// <summary>The login shell of the node's user.</summary>
    public bool IsShell { get; init; }
}

/// <param name="Deed">What the device may not do, after "may not".</param>
/// <param name="Grant">What would let it.</param>
public sealed record MissingGrant(string Deed, string Grant);

/// <summary>Which commands a device may have run on this one, by what it was granted.</summary>
/// <param name="commandsNeedGrant">Handlers too; otherwise only programs.</param>
public sealed class CommandGrants(ImmutableSortedSet<string> grants, bool commandsNeedGrant)
{
    /// <returns>Null where it may.</returns>
    public MissingGrant? Missing(WantedCommand wanted) => wanted.Program is { } program ? MissingFor(program, wanted) : MissingFor(wanted.Handler ?? "");

    private MissingGrant? MissingFor(string program, WantedCommand wanted)
    {
        if (grants.Contains(Grant.Run))
        {
            return null;
        }

        if (!grants.Any(grant => grant.StartsWith(Grant.RunKind, StringComparison.Ordinal)))
        {
            return new MissingGrant("start programs", Grant.Run);
        }

        // A shell runs whatever is typed, a variable such as LD_PRELOAD makes another program of one that is allowed.
        return wanted.IsShell ? new MissingGrant("open a shell", Grant.Run)
            : !grants.Contains(Grant.RunKind + program) ? new MissingGrant($"start '{program}'", Grant.Read(Grant.RunKind + program) ?? Grant.Run)
            : wanted.HasVariables ? new MissingGrant("set variables for its programs", Grant.Run)
            : wanted.Directory is { } directory ? MissingIn(directory())
            : null;
    }

    private MissingGrant? MissingIn(string directory) =>
        grants.Any(grant => IsBelow(directory, grant)) ? null : new MissingGrant($"have its programs begin in {directory}", Grant.Read(Grant.DirectoryKind + directory) ?? Grant.Run);

    private MissingGrant? MissingFor(string handler)
    {
        string name = Grant.CommandKind + handler.ToLowerInvariant();
        return !commandsNeedGrant || grants.Contains(name) || grants.Contains(Grant.CommandKind + Grant.Every)
            ? null
            : new MissingGrant($"use '{handler}'", Grant.Read(name) ?? Grant.CommandKind + Grant.Every);
    }

    private static bool IsBelow(string directory, string grant) =>
        grant.StartsWith(Grant.DirectoryKind, StringComparison.Ordinal) && Confinement.IsBelow(directory, grant[Grant.DirectoryKind.Length..]);
}
