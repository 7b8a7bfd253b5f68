using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Jobs;

/// <summary>How a job must end before another begins. The numbers are on disk and on the wire.</summary>
public enum DependencyCondition
{
    /// <summary>Completed.</summary>
    Ok = 1,

    /// <summary>Failed or cancelled.</summary>
    Fail = 2,

    /// <summary>Either.</summary>
    Any = 3,
}

/// <summary>
/// A job of the same home that must end first. It is there when the dependency is accepted, and what a job depends on never changes: so none can depend on
/// itself, however long the chain.
/// </summary>
public sealed record JobDependency(DependencyCondition Condition, JobId JobId)
{
    public const int Max = 100;

    public override string ToString() => $"{Condition.ToString().ToLowerInvariant()}:{JobId.Short}";

    /// <summary>True when it may begin, false when it never may, null while it is not known. A paused job may still become anything.</summary>
    public bool? IsMet(JobStateName state) => state switch
    {
        JobStateName.Completed => Condition != DependencyCondition.Fail,
        JobStateName.Failed or JobStateName.Cancelled => Condition != DependencyCondition.Ok,
        _ => null,
    };

    /// <summary>The parts of <c>ok:JOB</c>, <c>fail:JOB</c> or <c>any:JOB</c>.</summary>
    /// <exception cref="MeshException">AM0359 with the position.</exception>
    public static (DependencyCondition Condition, string Job) Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string word = colon < 0 ? text : text[..colon];
        DependencyCondition condition = word switch
        {
            "ok" => DependencyCondition.Ok,
            "fail" => DependencyCondition.Fail,
            "any" => DependencyCondition.Any,
            _ => throw Wrong(text, 0, "'ok:', 'fail:' or 'any:' is expected"),
        };
        return colon < 0 || colon + 1 == text.Length ? throw Wrong(text, text.Length, colon < 0 ? "':' and a job are expected" : "a job is expected") : (condition, text[(colon + 1)..]);
    }

    private static MeshException Wrong(string text, int at, string what) =>
        CommandSyntax.Error(text, at, what, "write --after ok:JOB (it completed), fail:JOB (it failed or was cancelled) or any:JOB (either)", MeshErrors.BadDependency);
}
