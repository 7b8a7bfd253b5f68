using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Whether the receiver of a schedule, a job, an array or a workflow was told, for people.</summary>
internal static class ToldLines
{
    /// <summary>Of a job, an array or a workflow, in UTC.</summary>
    /// <param name="on">any, failure or success.</param>
    public static void WriteEnd(TextWriter to, string? url, string? on, DeliveryView? last) =>
        Write(to, url, on == "any" ? "of any end" : $"on {on}", last, static at => at.ToString("u", CultureInfo.InvariantCulture));

    /// <param name="url">Who is told; null for nobody.</param>
    /// <param name="of">Of which ends.</param>
    /// <param name="last">The newest attempt; null before the first.</param>
    /// <param name="local">A moment as the reader's clocks show it.</param>
    /// <param name="name">Of what was told, with a blank behind it; empty where it is clear.</param>
    public static void Write(TextWriter to, string? url, string of, DeliveryView? last, Func<DateTimeOffset, string> local, string name = "")
    {
        if (url is not null)
        {
            to.WriteLine($"notify    {url}, {of}");
        }

        if (last is null)
        {
            return;
        }

        string when = last.At is { } at ? $" {local(at)}" : "", answer = last.Status is { } status ? $", status {status}" : "";
        to.WriteLine($"told      {name}{Word(last)}{when}{answer}, {Attempts(last.Attempts)}{(last.NextAt is { } next ? $", again {local(next)}" : "")}");
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
    public static string Short(DeliveryView? delivery) => delivery is null ? "" : delivery.Status is { } status ? $"{Word(delivery)} ({status})" : Word(delivery);

    private static string Word(DeliveryView delivery) => delivery.State switch
    {
        "given-up" => "given up",
        "due" when delivery.Attempts > 0 => "not yet",
        var state => state,
    };

    private static string Attempts(int count) => count == 1 ? "1 attempt" : $"{count} attempts";
}
