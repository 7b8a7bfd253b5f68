using AgentMesh.Mesh.Groups;

namespace Simulation.Checks;

/// <summary>A group as its journal has it, followed from the outside.</summary>
internal sealed class WatchedGroup
{
    public GroupSettings Settings { get; set; } = GroupSettings.Default;

    public HashSet<string> Holders { get; } = new(StringComparer.Ordinal);

    /// <summary>Jobs that were accepted with it.</summary>
    public List<WatchedJob> Jobs { get; } = [];

    /// <summary>Who asked this life of the group for a turn; it keeps nothing of that.</summary>
    public Dictionary<string, AskedTurn> Asked { get; } = new(StringComparer.Ordinal);

    public WatchedUsers Users { get; } = new();

    /// <summary>Since when there has been a place for somebody who has not begun.</summary>
    public TimeSpan? IdleSince { get; set; }

    public bool HasRoom => !Settings.IsPaused && Holders.Count < Settings.Places;

    /// <summary>The entity has gone, with what it has not written down.</summary>
    public void Forget()
    {
        Asked.Clear();
        Users.Forget();
    }
}

/// <param name="User">Who has submitted it.</param>
/// <param name="Waits">For other jobs.</param>
internal sealed record WatchedJob(string Id, string User, bool Waits)
{
    /// <summary>Since when it has been at rest; null while it is not.</summary>
    public TimeSpan? RestSince { get; set; }

    /// <summary>An attempt was ordered, and it has not come to rest since.</summary>
    public bool IsOut { get; set; }

    public bool HasBegun { get; set; }
}

/// <param name="First">When it asked for the first time, and when last.</param>
/// <param name="WasSilent">For so long in between that the group may have forgotten it.</param>
internal sealed record AskedTurn(int Priority, string Share, TimeSpan First, TimeSpan Last, bool WasSilent);
