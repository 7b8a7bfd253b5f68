using System.Collections.Immutable;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Groups;

/// <summary>A message to the entity of a group, or from it. The entity listens to its own device only.</summary>
public interface IGroupMessage
{
    GroupId GroupId { get; }
}

/// <summary>What a person decides about a group.</summary>
/// <param name="Max">Jobs that run at the same time, 1 to <see cref="HoldersMax"/>; null for that many.</param>
/// <param name="IsPaused">None begins; those that run go on.</param>
public sealed record GroupSettings(int? Max, bool IsPaused)
{
    /// <summary>Jobs of one group that run at the same time, whatever its settings say.</summary>
    public const int HoldersMax = 1_000;

    public static GroupSettings Default { get; } = new(null, IsPaused: false);

    public int Places => Max ?? HoldersMax;
}

/// <summary>Answered with <see cref="GroupView"/> when it is on disk, or <see cref="GroupProblem"/>. What is null stays as it is.</summary>
/// <param name="LiftMax">Takes the limit away.</param>
public sealed record SetGroup(GroupId GroupId, int? Max, bool LiftMax, bool? Paused) : IGroupMessage;

/// <summary>Answered with <see cref="GroupView"/> or <see cref="GroupProblem"/>.</summary>
public sealed record GetGroup(GroupId GroupId) : IGroupMessage;

/// <summary>Takes the settings away; its jobs go on without a limit. Answered with <see cref="GroupRemoved"/> or <see cref="GroupProblem"/>.</summary>
public sealed record RemoveGroup(GroupId GroupId) : IGroupMessage;

public sealed record GroupRemoved(GroupId GroupId) : IGroupMessage;

public sealed record GroupProblem(GroupId GroupId, Problem Problem) : IGroupMessage, IRefusal;

/// <summary>
/// A job wants to begin. Answered with <see cref="TurnAnswer"/> at once, and again when its turn comes; asked again every few seconds until then, or the
/// group forgets it. A job that has its turn keeps it until it has come to rest.
/// </summary>
/// <param name="Share">Among jobs of the same priority those of different shares take turns.</param>
public sealed record AskTurn(GroupId GroupId, JobId JobId, int Priority, string Share) : IGroupMessage;

/// <param name="Why">In words, why not yet; null where it is granted.</param>
public sealed record TurnAnswer(JobId JobId, bool IsGranted, string? Why) : IJobMessage;

/// <param name="IsSet">A person has set something; otherwise it is known by its jobs only.</param>
/// <param name="Holders">The first <see cref="HoldersShown"/> jobs that have their turn.</param>
/// <param name="Waiting">Jobs that asked and do not have it.</param>
/// <param name="Granted">Turns since the group was first used.</param>
public sealed record GroupView(GroupId GroupId, GroupSettings Settings, bool IsSet, ImmutableArray<JobId> Holders, int Holding, int Waiting, long Granted) : IGroupMessage
{
    public const int HoldersShown = 100;

    public bool Equals(GroupView? other) =>
        other is not null && GroupId == other.GroupId && Settings == other.Settings && IsSet == other.IsSet && Holding == other.Holding && Waiting == other.Waiting && Granted == other.Granted
        && Holders.AsSpan().SequenceEqual(other.Holders.AsSpan());

    public override int GetHashCode() => HashCode.Combine(GroupId, Settings, Holding, Waiting, Granted);
}
