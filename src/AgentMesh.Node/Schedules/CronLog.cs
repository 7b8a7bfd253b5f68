using System.Globalization;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Webhooks;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Schedules;

/// <summary>
/// <c>logs/cron/YYYY-MM.log</c> (UTC): a line for what happens to schedules, for people and their tools. The journal knows better; a line may be missing
/// after a crash. Thread-safe.
/// </summary>
internal sealed class CronLog(string directory, ILogger log)
{
    /// <summary>The oldest files go.</summary>
    private const int MonthsKept = 24;

    private const long MonthBytesMax = 64 << 20;

    private readonly Lock _gate = new();
    private string _month = "";
    private bool _hasFailed;

    public void Write(CronId cron, ICronEvent happened)
    {
        if (WordsOf(happened) is not { } words)
        {
            return;
        }

        lock (_gate)
        {
            try
            {
                string month = happened.At.UtcDateTime.ToString("yyyy-MM", CultureInfo.InvariantCulture);
                string path = Path.Combine(directory, month + ".log");
                if (month != _month)
                {
                    Directory.CreateDirectory(directory);
                    foreach (string old in Directory.EnumerateFiles(directory, "????-??.log").Order(StringComparer.Ordinal).SkipLast(MonthsKept))
                    {
                        File.Delete(old);
                    }

                    _month = month;
                }

                if (!File.Exists(path) || new FileInfo(path).Length < MonthBytesMax)
                {
                    File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture, $"{happened.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {cron.Name} {words}\n"));
                }

                _hasFailed = false;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                if (!_hasFailed)
                {
                    Log.Failed(log, $"writing {directory}", error);
                }

                _hasFailed = true;
            }
        }
    }

    private static string? WordsOf(ICronEvent happened) => happened switch
    {
        CronCreatedEvent created => $"created {created.Spec.Schedule} ({created.Spec.Zone}) {created.Spec.Job.Command}",
        CronUpdatedEvent updated => $"changed {updated.Spec.Schedule} ({updated.Spec.Zone}) {updated.Spec.Job.Command}",
        CronEnabledEvent => "enabled",
        CronDisabledEvent disabled => disabled.Reason is { } reason ? $"disabled {reason.Code} {reason.Text}" : "disabled",
        CronFiredEvent { Targets: { Count: 0 } } nobody => string.Create(CultureInfo.InvariantCulture, $"missed 1 nobody {nobody.Nominal.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
        CronFiredEvent fired => string.Create(CultureInfo.InvariantCulture, $"fired {(fired.Targets is { } targets ? string.Join(',', targets.Select(each => each.JobId.Short)) : fired.JobId.Short)} {fired.Cause.ToString().ToLowerInvariant()} {fired.Nominal.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
        CronMissedEvent { Count: > 0 } missed => string.Create(CultureInfo.InvariantCulture, $"missed {missed.Count} {missed.Reason.ToString().ToLowerInvariant()}"),
        CronRunEndedEvent ended => $"ended {ended.JobId.Short} {ended.State.ToString().ToLowerInvariant()}",
        CronDeliveryEvent told => WordsOf(told.JobId.Short, told.Delivery),
        CronBackfillEvent { Backfill.Left: > 0 } backfill => string.Create(CultureInfo.InvariantCulture, $"backfill {backfill.Backfill.Left} through {backfill.Backfill.To.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
        CronRemovedEvent => "removed",
        _ => null,
    };

    private static string WordsOf(string job, Delivery delivery)
    {
        string answer = delivery.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"status {status} ") : "", why = $"{answer}attempt {delivery.Attempts.ToString(CultureInfo.InvariantCulture)} {delivery.Problem?.Code} {delivery.Problem?.Text}";
        return delivery.State switch
        {
            DeliveryState.Delivered => string.Create(CultureInfo.InvariantCulture, $"told {job} {answer}attempt {delivery.Attempts}"),
            DeliveryState.Due => string.Create(CultureInfo.InvariantCulture, $"untold {job} {why} again {delivery.NextAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}"),
            _ => $"gave up telling {job} {why}",
        };
    }
}
