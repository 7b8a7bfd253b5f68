using System.Collections.Immutable;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Workers.Attempts;

/// <summary>Names one run of a job: the attempt number is the fencing token.</summary>
public readonly record struct AttemptKey(JobId Job, int Attempt)
{
    public override string ToString() => $"{Job}#{Attempt}";
}

/// <summary>What is to be run.</summary>
/// <param name="Line">A command for a handler; empty where <paramref name="Words"/> is given.</param>
/// <param name="Words">A program and its arguments; empty for a handler.</param>
/// <param name="Timeout">Longest run; null for no limit.</param>
/// <param name="Alias">What was typed for it; null where no alias was.</param>
public sealed record AttemptOrder(AttemptKey Key, string Line, IReadOnlyList<string> Words, Caller Caller, TimeSpan? Timeout, string? Alias)
{
    public JobNeeds Needs { get; init; } = JobNeeds.None;

    public bool IsProgram => Words.Count > 0;

    /// <summary>What the program leaves behind when it succeeds.</summary>
    public ValueList<JobArtifact> Artifacts { get; init; }

    /// <summary>What the program finds when it begins.</summary>
    public ValueList<ArtifactInput> Inputs { get; init; }

    /// <summary>It has a directory of its own: for what it is given and leaves behind, or because it may write nowhere else.</summary>
    public bool HasFolder => MovesArtifacts || Confinement is not null;

    /// <summary>It begins in that directory, and finds there what it was given.</summary>
    public bool MovesArtifacts => !Artifacts.IsEmpty || !Inputs.IsEmpty;

    /// <summary>Added to the environment of a program.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Where a program begins; null for the directory in which all do.</summary>
    public string? Directory { get; init; }

    /// <summary>What the program may reach; null for all that the user of this node may. Unknown of an attempt that was taken over: it was started as it had to be.</summary>
    public Confinement? Confinement { get; init; }

    /// <summary>What an earlier attempt left for the program; null for none.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>What the program reads; null for nothing.</summary>
    public JobInput? Input { get; init; }

    /// <summary>Who reads what the program writes; null for the home.</summary>
    public JobPipe? PipeTo { get; init; }
}
