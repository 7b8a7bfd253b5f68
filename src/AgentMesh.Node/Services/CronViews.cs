using AgentMesh.Mesh;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Node.Control;
using CronView = AgentMesh.Node.Control.CronView;
using MeshCronView = AgentMesh.Mesh.Cron.CronView;

namespace AgentMesh.Node.Services;

/// <summary>Schedules as the control API shows them.</summary>
internal static class CronViews
{
    public static CronView Of(MeshCronView cron) => new(
        NameOf(cron.CronId),
        cron.CronId.ToString(),
        cron.Spec.Schedule,
        cron.Spec.Zone,
        cron.Spec.Job.Command.ToString(),
        cron.Spec.Targets is null ? cron.Spec.Job.Target.Device.ToString() : "",
        cron.Spec.Targets is { } targets ? "@" + targets.Devices.Selector.TrimStart('@') : cron.Spec.Job.Target.Name,
        cron.Spec.Missed == CronMissed.Window ? $"window {Span(cron.Spec.Window)}" : Lower(cron.Spec.Missed),
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
        [.. cron.Runs.Select(run => new CronRunView(run.JobId.ToString(), run.JobId.Short, run.Nominal, Lower(run.Cause), run.FiredAt, run.Ended is { } end ? Lower(end) : "running", run.EndedAt, run.Target?.Name) { Delivery = run.Delivery is { } delivery ? Of(cron.CronId, run.JobId, delivery) : null })],
        cron.BackfillLeft,
        cron.Spec.Job.Needs.Resources.IsNone ? null : cron.Spec.Job.Needs.Resources.ToString(),
        cron.Spec.Job.Needs.Priority,
        cron.Spec.Job.Needs.Group)
    {
        Notify = cron.Spec.Notify?.Url,
        NotifyOn = DeliveryViews.OnOf(cron.Spec.Notify),
        LastDelivery = cron.LastDelivery is { } last ? Of(cron.CronId, last.JobId, last.Delivery) : null,
    };

    private static DeliveryView Of(CronId cron, JobId job, Delivery delivery) => DeliveryViews.Of(CronDeliveryRules.IdOf(cron, job), job.Short, delivery);

    private static string Span(TimeSpan span) => span switch
    {
        { Ticks: var ticks } when ticks % TimeSpan.TicksPerDay == 0 => $"{span.TotalDays:0}d",
        { Ticks: var ticks } when ticks % TimeSpan.TicksPerHour == 0 => $"{span.TotalHours:0}h",
        { Ticks: var ticks } when ticks % TimeSpan.TicksPerMinute == 0 => $"{span.TotalMinutes:0}m",
        _ => $"{span.TotalSeconds:0}s",
    };

    /// <summary>As people write it.</summary>
    public static string NameOf(CronId id) => id.Home.IsPool ? $"{id.Home.PoolName}/{id.Name}" : id.Name;

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
