using System.CommandLine;
using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>audit: who had what run on this device.</summary>
internal static class AuditVerb
{
    public static Command Create(GlobalOptions global)
    {
        var peer = new Option<string?>("--peer") { Description = "Only what came from this device: name, index or id; the id of one that was forgotten." };
        var since = new Option<TimeSpan?>("--since") { Description = "Only the last 10m, 2h, 3d ...", CustomParser = Durations.Parse };
        var outcome = new Option<string?>("--outcome") { Description = "Only what ended so: succeeded, failed, refused, timedout, cancelled, or running." };
        outcome.AcceptOnlyFromAmong("succeeded", "failed", "refused", "timedout", "cancelled", "running");
        var limit = new Option<int>("--limit") { Description = "At most so many, the newest (default 50).", DefaultValueFactory = _ => 50 };
        return global.Verb("audit", "Show who had what run on this device, the newest first.", [peer, since, outcome, limit], async (session, parsed, cancel) =>
        {
            string path = $"v1/audit?limit={parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)}";
            path += Part("peer", parsed.GetValue(peer)) + Part("outcome", parsed.GetValue(outcome));
            path += Part("since", parsed.GetValue(since) is { } span ? (TimeProvider.System.GetUtcNow() - span).ToString("O", CultureInfo.InvariantCulture) : null);
            using var client = session.Connect();
            IReadOnlyList<AuditView> entries = await client.GetAsync(path, ControlJson.Default.IReadOnlyListAuditView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(entries, ControlJson.Default.IReadOnlyListAuditView);
                return 0;
            }

            session.Terminal.Table(["TIME", "FROM", "USER", "OUTCOME", "EXIT", "TOOK", "JOB", "COMMAND"], entries.Select(Row));
            return 0;
        });
    }

    private static string Part(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private static IReadOnlyList<string> Row(AuditView entry) =>
    [
        entry.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        entry.FromName ?? entry.FromId[..Math.Min(12, entry.FromId.Length)],
        entry.User,
        entry.Code is null ? entry.Outcome : $"{entry.Outcome} {entry.Code}",
        entry.ExitCode?.ToString(CultureInfo.InvariantCulture) ?? "",
        entry.DurationMs switch
        {
            null => "",
            < 10_000 and { } ms => string.Create(CultureInfo.InvariantCulture, $"{ms:0} ms"),
            { } ms => Durations.Age(TimeSpan.FromMilliseconds(ms)),
        },
        $"{entry.ShortJobId}#{entry.Attempt.ToString(CultureInfo.InvariantCulture)}",
        (entry.IsProgram ? "run -- " : "") + entry.Command,
    ];
}
