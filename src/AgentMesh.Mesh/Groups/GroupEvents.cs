using System.Collections.Immutable;

namespace AgentMesh.Mesh.Groups;

/// <summary>What the journal of a group holds. At the time of the home's clock.</summary>
public interface IGroupEvent
{
    DateTimeOffset At { get; }
}

public sealed record GroupSetEvent(DateTimeOffset At, GroupSettings Settings) : IGroupEvent;

/// <summary>Written before the jobs are told: never do more have their turn than the settings allow, whatever is killed.</summary>
public sealed record GroupGrantedEvent(DateTimeOffset At, ImmutableArray<JobId> Jobs) : IGroupEvent
{
    public bool Equals(GroupGrantedEvent? other) => other is not null && At == other.At && Jobs.AsSpan().SequenceEqual(other.Jobs.AsSpan());

    public override int GetHashCode() => HashCode.Combine(At, Jobs.Length);
}

/// <summary>They have come to rest, or never were.</summary>
public sealed record GroupReturnedEvent(DateTimeOffset At, ImmutableArray<JobId> Jobs) : IGroupEvent
{
    public bool Equals(GroupReturnedEvent? other) => other is not null && At == other.At && Jobs.AsSpan().SequenceEqual(other.Jobs.AsSpan());

    public override int GetHashCode() => HashCode.Combine(At, Jobs.Length);
}

public sealed record GroupRemovedEvent(DateTimeOffset At) : IGroupEvent;
