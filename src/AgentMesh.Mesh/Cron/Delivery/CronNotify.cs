using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Cron.Delivery;

/// <summary>Which ends of runs are told. The numbers are on disk.</summary>
public enum CronNotifyOn
{
    /// <summary>All, cancelled runs included.</summary>
    Any = 1,

    /// <summary>Failed and paused ones.</summary>
    Failure = 2,

    /// <summary>Completed ones.</summary>
    Success = 3,
}

/// <summary>Where the ends of a schedule's runs are told: docs/cron.md, "Webhooks".</summary>
/// <param name="Url">Checked by <see cref="NotifyUrl"/>. Whoever may see the schedule sees it.</param>
public sealed record CronNotify(string Url, CronNotifyOn On)
{
    public bool Wants(JobStateName end) => On switch
    {
        CronNotifyOn.Any => true,
        CronNotifyOn.Success => end == JobStateName.Completed,
        _ => end is JobStateName.Failed or JobStateName.Paused,
    };
}
