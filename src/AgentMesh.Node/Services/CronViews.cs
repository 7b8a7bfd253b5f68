using AgentMesh.Node.Control;
using MeshCronView = AgentMesh.Mesh.Cron.CronView;

namespace AgentMesh.Node.Services;

/// <summary>Schedules as the control API shows them.</summary>
internal static class CronViews
{
    public static CronView Of(MeshCronView cron) => new(
        cron.CronId.Name,
        cron.CronId.ToString(),
        cron.Spec.Schedule,
        cron.Spec.Zone,
        cron.Spec.Job.Command.ToString(),
        cron.Spec.Job.Target.Device.ToString(),
        cron.Spec.Job.Target.Name,
        Lower(cron.Spec.Missed),
        Lower(cron.Spec.Overlap),
        cron.Spec.PauseAfter,
        cron.Spec.Jitter.TotalMilliseconds,
        cron.Spec.IsFromFile,
        cron.IsEnabled,
        cron.Reason is { } reason ? new ProblemView(reason.Code, reason.Text, reason.NextStep) : null,
        cron.CreatedAt,
        cron.Next,
        cron.Waiting,
        cron.Fired,
        cron.Missed,
        cron.Failures,
        [.. cron.Runs.Select(run => new CronRunView(run.JobId.ToString(), run.JobId.Short, run.Nominal, Lower(run.Cause), run.FiredAt, run.Ended is { } end ? Lower(end) : "running", run.EndedAt))]);

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
