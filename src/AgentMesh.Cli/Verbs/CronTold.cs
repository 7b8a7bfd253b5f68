using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Whether the receiver of a schedule was told of its runs, for people.</summary>
internal static class CronTold
{
    /// <param name="local">A moment as the clocks of the schedule show it.</param>
    public static void Write(TextWriter to, CronView cron, Func<DateTimeOffset, string, string> local)
    {
        if (cron.Notify is { } url)
        {
            to.WriteLine($"notify    {url}, {(cron.NotifyOn == "any" ? "of each run" : $"on {cron.NotifyOn}")}");
        }

        if (cron.LastDelivery is not { } last)
        {
            return;
        }

        string when = last.At is { } at ? $" {local(at, cron.TimeZone)}" : "", answer = last.Status is { } status ? $", status {status}" : "";
        to.WriteLine($"told      {last.Job} {Word(last)}{when}{answer}, {Attempts(last.Attempts)}{(last.NextAt is { } next ? $", again {local(next, cron.TimeZone)}" : "")}");
        if (last.Problem is { } problem)
        {
            to.WriteLine($"          {problem.Code}: {problem.Message}");
            if (problem.Next is { Length: > 0 } step)
            {
                to.WriteLine($"          next: {step}");
            }
        }
    }

    /// <summary>One word for a table, and the status where there was an answer.</summary>
    public static string Short(CronDeliveryView? delivery) => delivery is null ? "" : delivery.Status is { } status ? $"{Word(delivery)} ({status})" : Word(delivery);

    private static string Word(CronDeliveryView delivery) => delivery.State switch
    {
        "given-up" => "given up",
        "due" when delivery.Attempts > 0 => "not yet",
        var state => state,
    };

    private static string Attempts(int count) => count == 1 ? "1 attempt" : $"{count} attempts";
}
