using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;

namespace AgentMesh.Mesh.Cron;

/// <summary>The devices of a schedule that are looked for anew at each of its times.</summary>
/// <param name="IsOne">The one of them that suits best; otherwise each has a job of its own.</param>
public sealed record CronTargets(ArrayTargets Devices, bool IsOne)
{
    /// <summary>Devices of one time; more get none.</summary>
    public const int Max = 100;
}

/// <summary>One job of a time that has several devices, or was chosen one.</summary>
public sealed record CronTarget(JobId JobId, JobTarget Target);

/// <summary>Whom a schedule means now: those that are there, or those that are away where nobody is; at most <see cref="CronTargets.Max"/>.</summary>
public delegate IReadOnlyList<JobTarget> ChooseCronTargets(CronTargets targets, ResourceAmounts needs);
