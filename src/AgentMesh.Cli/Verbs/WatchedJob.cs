using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>A job or an array as a panel shows it.</summary>
/// <param name="Fraction">How far it is, 0 to 1; null where nobody says.</param>
/// <param name="Words">What it does or waits for; may be empty.</param>
internal sealed record WatchedJob(string Id, string ShortId, string State, string On, double? Fraction, string Words, string Command, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt)
{
    public bool IsAtRest => State is "completed" or "failed" or "cancelled" or "paused";

    public static WatchedJob Of(JobView job) => new(
        job.Id, job.ShortId, job.State, job.TargetName, job.State == "completed" ? 1 : job.Progress?.Fraction, job.Problem?.Message ?? job.Reason ?? job.Progress?.Text ?? "", job.Command, job.CreatedAt, job.EndedAt);

    public static WatchedJob Of(ArrayView array) => new(
        array.Id,
        array.ShortId,
        array.State,
        array.Target.Length > 0 ? array.Target : "(this device)",
        (double)(array.Count - array.Waiting - array.Running) / Math.Max(1, array.Count),
        array is { Running: 0, Reason: { } reason } ? reason : ArrayRun.Counts(array),
        array.Command,
        array.CreatedAt,
        array.EndedAt);

    /// <summary>Empty where nobody says how far it is.</summary>
    public string Bar => Fraction is { } fraction ? ProgressBar.Of(fraction) : "";

    /// <summary>A line for each, in columns; the headings first.</summary>
    public static IReadOnlyList<string> Panel(IReadOnlyList<WatchedJob> jobs, DateTimeOffset now)
    {
        string[][] rows =
        [
            ["JOB", "STATE", "ON", "PROGRESS", "TIME", "COMMAND"],
            .. jobs.Select(job => (string[])
            [
                job.ShortId,
                job.State,
                job.On,
                job.Bar.Length > 0 && job.Words.Length > 0 ? $"{job.Bar} {job.Words}" : job.Bar + job.Words,
                Durations.Age((job.EndedAt ?? now) - job.CreatedAt),
                job.Command.ReplaceLineEndings(" "),
            ]),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => Math.Min(60, rows.Max(row => row[column].Length)))];
        return [.. rows.Select(row => string.Join("  ", row.Zip(widths, (cell, width) => cell.Length > width ? cell[..width] : cell.PadRight(width))).TrimEnd())];
    }
}
