using System.Collections.Immutable;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Groups;

/// <summary>A group of jobs: the fold of its events. Immutable; who waits is not part of it, because they ask again.</summary>
public sealed record GroupState
{
    private GroupState(GroupId groupId) => GroupId = groupId;

    public GroupId GroupId { get; }

    /// <summary>Null where nobody has set anything.</summary>
    public GroupSettings? Settings { get; init; }

    /// <summary>Jobs that have their turn, in the order in which they got it.</summary>
    public ImmutableList<JobId> Holders { get; init; } = [];

    public long Granted { get; init; }

    public GroupSettings InForce => Settings ?? GroupSettings.Default;

    public static GroupState None(GroupId id) => new(id);

    public GroupState Apply(IGroupEvent change) => change switch
    {
        GroupSetEvent e => this with { Settings = e.Settings },
        GroupGrantedEvent e => this with { Holders = Holders.AddRange(e.Jobs), Granted = Granted + e.Jobs.Length },
        GroupReturnedEvent e => this with { Holders = Holders.RemoveAll(e.Jobs.Contains) },
        GroupRemovedEvent => this with { Settings = null },
        _ => throw new InvariantException($"unknown event {change.GetType().Name}"),
    };
}

/// <summary>A <see cref="GroupState"/> as the snapshot store keeps it.</summary>
public sealed record GroupSnapshot(GroupSettings? Settings, ImmutableArray<JobId> Holders, long Granted)
{
    public static GroupSnapshot Of(GroupState s) => new(s.Settings, [.. s.Holders], s.Granted);

    public GroupState ToState(GroupId id) => GroupState.None(id) with { Settings = Settings, Holders = [.. Holders], Granted = Granted };

    public bool Equals(GroupSnapshot? other) => other is not null && Settings == other.Settings && Granted == other.Granted && Holders.AsSpan().SequenceEqual(other.Holders.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Settings, Granted, Holders.Length);
}
