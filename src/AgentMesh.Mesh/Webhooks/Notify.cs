using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Webhooks;

/// <summary>Which ends of runs and jobs are told. The numbers are on disk.</summary>
public enum NotifyOn
{
    /// <summary>All, cancelled ones included.</summary>
    Any = 1,

    /// <summary>Failed and paused ones.</summary>
    Failure = 2,

    /// <summary>Completed ones.</summary>
    Success = 3,
}

/// <summary>Where the ends of a schedule's runs, or of a job, an array or a workflow, are told: docs/cron.md, "Webhooks".</summary>
/// <param name="Url">Checked by <see cref="NotifyUrl"/>. Whoever may see the schedule or the job sees it.</param>
public sealed record Notify(string Url, NotifyOn On)
{
    public bool Wants(JobStateName end) => On switch
    {
        NotifyOn.Any => true,
        NotifyOn.Success => end == JobStateName.Completed,
        _ => end is JobStateName.Failed or JobStateName.Paused,
    };
}
