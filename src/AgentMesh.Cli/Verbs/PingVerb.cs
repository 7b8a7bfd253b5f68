using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Output;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>ping: round trips to a device.</summary>
internal static class PingVerb
{
    public const int SomeUnanswered = 1;

    public static Command Create(GlobalOptions global)
    {
        var peer = new Argument<string>("PEER") { Description = "Name, index or id prefix, with or without @." };
        var count = new Option<int>("-c", "--count") { Description = "How many round trips (default 4).", DefaultValueFactory = _ => 4 };
        var interval = new Option<TimeSpan?>("--interval") { Description = "From one to the next (default 200ms, at least 10ms).", CustomParser = Durations.Parse };
        var paths = new Option<bool>("--paths") { Description = "Measure the paths beside the one in use too, one line each." };
        return global.Verb("ping", "Measure round trips to a device over its connection; --timeout bounds the wait for each (default 5s).", [peer, count, interval, paths], async (session, parsed, cancel) =>
        {
            var request = new PingRequest(parsed.GetValue(peer)!, parsed.GetValue(count));
            request = request with
            {
                IntervalMs = parsed.GetValue(interval)?.TotalMilliseconds ?? request.IntervalMs,
                Paths = parsed.GetValue(paths),
                TimeoutMs = session.Timeout?.TotalMilliseconds ?? request.TimeoutMs,
            };
            using var client = session.Connect();
            return await ShowAsync(client.PingAsync(request, cancel), session.Terminal).ConfigureAwait(false);
        });
    }

    /// <returns>0 when all were answered, 1 when some were; when none was, the events end with AM0304.</returns>
    public static async Task<int> ShowAsync(IAsyncEnumerable<PingEvent> events, Terminal terminal)
    {
        int code = 0;
        await foreach (PingEvent happened in events.ConfigureAwait(false))
        {
            if (happened.Summary is { } summary && summary.Answered < summary.Sent)
            {
                code = SomeUnanswered;
            }

            if (terminal.Json)
            {
                terminal.PrintJson(happened, ControlJson.Default.PingEvent);
            }
            else if (happened.Probe is { } probe)
            {
                terminal.Out.WriteLine(LineOf(happened.Target, probe));
            }
            else if (happened.PathProbe is { } path)
            {
                terminal.Out.WriteLine(LineOf(happened.Target, path));
            }
            else if (happened.Summary is { } end)
            {
                terminal.Out.WriteLine(LineOf(happened.Target, end));
            }
        }

        return code;
    }

    private static string LineOf(string target, PingProbeView probe) => probe.RoundTripMs is { } time
        ? string.Create(CultureInfo.InvariantCulture, $"{target} {probe.Sequence}: {time:0.00} ms, {probe.Address} {probe.Path}{(probe.AskedOver is { } former ? $" (asked over {former})" : "")}")
        : $"{target} {probe.Sequence}: {probe.Problem}";

    private static string LineOf(string target, PathProbeView probe) => probe.RoundTripMs is { } time
        ? string.Create(CultureInfo.InvariantCulture, $"{target} {probe.Sequence}: {time:0.00} ms, {probe.Address} {probe.Path}, {PathLines.RoleOf(probe.Role)}")
        : $"{target} {probe.Sequence}: {probe.Problem}, {probe.Address} {probe.Path}, {PathLines.RoleOf(probe.Role)}";

    private static string LineOf(string target, PingSummaryView summary)
    {
        string line = $"{target}: {summary.Sent} sent, {summary.Answered} answered";
        if (summary.Answered > 0)
        {
            line += string.Create(CultureInfo.InvariantCulture, $", min/avg/max {summary.MinMs:0.00}/{summary.AvgMs:0.00}/{summary.MaxMs:0.00} ms");
        }

        return summary.P99Ms is { } p99 ? line + string.Create(CultureInfo.InvariantCulture, $", p99 {p99:0.00} ms") : line;
    }
}
