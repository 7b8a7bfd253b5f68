using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Node.Control;
using ArrayView = AgentMesh.Node.Control.ArrayView;

namespace AgentMesh.Cli.Verbs;

/// <summary>job list, show, why, logs, cancel, retry, fork, prune.</summary>
internal static class JobVerbs
{
    public static Command All(GlobalOptions global)
    {
        var job = new Command("job", "Look at durable jobs and act on them.")
        {
            List(global),
            Logs(global),
        };
        var id = NewId();
        var failed = new Option<bool>("--failed") { Description = "Of an array only the elements that did not complete." };
        var limit = new Option<int>("--limit") { Description = "Elements of an array to list.", DefaultValueFactory = _ => 50 };
        var history = new Option<bool>("--history") { Description = "What its journal holds, event by event." };
        job.Subcommands.Add(global.Verb("show", "Show one job, or an array with its elements.", [id, failed, limit, history], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            if (parsed.GetValue(history))
            {
                return await HistoryAsync(session, client, parsed.GetValue(id)!, cancel).ConfigureAwait(false);
            }

            return await ShowAsync(session, client, parsed.GetValue(id)!, parsed.GetValue(failed), Math.Max(1, parsed.GetValue(limit)), cancel).ConfigureAwait(false);
        }));
        job.Subcommands.Add(Why(global));
        job.Subcommands.Add(Act(global, "cancel", "Ask a job to stop; then stop it. Of an array: every element."));
        job.Subcommands.Add(Retry(global));
        job.Subcommands.Add(WorkflowVerbs.ForkOfJob(global));
        job.Subcommands.Add(Prune(global));
        return job;
    }

    public static async Task<int> ListAsync(Session session, ControlClient client, JobFilter filter, int limit, CancellationToken cancel)
    {
        JobPage page = await client.GetAsync($"v1/jobs?limit={limit}{QueryOf(filter)}", ControlJson.Default.JobPage, cancel).ConfigureAwait(false);
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(page, ControlJson.Default.JobPage);
            return 0;
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        IEnumerable<(DateTimeOffset At, IReadOnlyList<string> Row)> arrays = page.Arrays.Select(array => (array.CreatedAt, (IReadOnlyList<string>)
        [
            array.ShortId,
            array.State,
            array.Target.Length > 0 ? array.Target : "(this device)",
            string.Create(CultureInfo.InvariantCulture, $"{array.Completed}/{array.Count}"),
            Durations.Age(now - array.CreatedAt),
            array.Command,
            array.Running == 0 && array.Reason is { } reason ? reason : ArrayRun.Counts(array),
        ]));
        session.Terminal.Table(
            ["JOB", "STATE", "ON", "ATTEMPT", "AGE", "COMMAND", "REASON"],
            page.Jobs.Select(job => (At: job.CreatedAt, Row: (IReadOnlyList<string>)
            [
                job.ShortId,
                job.State,
                job.TargetName,
                string.Create(CultureInfo.InvariantCulture, $"{job.Attempt}/{job.AttemptsMax}"),
                Durations.Age(now - job.CreatedAt),
                job.Workflow is null ? job.Command : $"[{JobLines.WorkflowOf(job)}] {job.Command}",
                job.Problem?.Message ?? job.Reason ?? JobLines.Shown(job.Progress),
            ])).Concat(arrays).OrderByDescending(each => each.At).Select(each => each.Row));
        if (page.Next is not null)
        {
            session.Terminal.Note("there are more: 'agentmesh job list --limit N' shows N");
        }

        return 0;
    }

    /// <param name="names">Each line with the name of its stream.</param>
    public static async Task<int> LogsAsync(
        Session session, ControlClient client, string id, string? stream, int? attempt, long from, bool follow, CancellationToken cancel, int? tail = null, string? at = null, long? fromEvent = null, bool names = false)
    {
        WholeCharacters output = new(session.Terminal.RawOut), error = new(session.Terminal.RawError);
        var lines = new PrefixedLines(session.Terminal.Out, session.Terminal.Error);
        bool isWithinLine = false;
        await foreach (OutputView chunk in client.OutputAsync(id, stream, attempt, from, follow, cancel, tail, at, fromEvent).ConfigureAwait(false))
        {
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(chunk, ControlJson.Default.OutputView);
                continue;
            }

            if (names)
            {
                lines.Write(chunk.Stream, chunk.Stream == "stderr", chunk.Data.Span);
                await session.Terminal.Out.FlushAsync(cancel).ConfigureAwait(false);
                continue;
            }

            if (chunk.Event is not null && isWithinLine)
            {
                await output.WriteAsync("\n"u8.ToArray(), cancel).ConfigureAwait(false);
            }

            isWithinLine = chunk.Data.Span is not [.., (byte)'\n'];
            await (chunk.Stream == "stderr" ? error : output).WriteAsync(chunk.Data, cancel).ConfigureAwait(false);
        }

        foreach (string name in (string[])["stdout", "stderr", "events"])
        {
            lines.End(name);
        }

        await output.FlushAsync(cancel).ConfigureAwait(false);
        await error.FlushAsync(cancel).ConfigureAwait(false);
        return 0;
    }

    private static Command List(GlobalOptions global)
    {
        var state = new Option<string?>("--state") { Description = "Only jobs in this state." };
        var on = new Option<string?>("--on") { Description = "Only jobs on this device: its name, or the beginning of its id." };
        var text = new Option<string?>("--grep") { Description = "Only jobs whose command has this in it." };
        var since = new Option<TimeSpan?>("--since") { Description = "Only jobs of the last 10m, 2h, 3d ...", CustomParser = Durations.Parse };
        var group = new Option<string?>("--group") { Description = "Only jobs of this group." };
        var limit = new Option<int>("--limit") { Description = "At most this many, the newest first.", DefaultValueFactory = _ => 50 };
        var home = new Option<string?>("--home") { Description = "Those of a pool (docs/pools.md), or 'device' for those of this device; without it, the setting jobs.home." };
        return global.Verb("list", "List jobs, the newest first.", [state, on, text, since, group, limit, home], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            DateTimeOffset? from = parsed.GetValue(since) is { } span ? TimeProvider.System.GetUtcNow() - span : null;
            var filter = new JobFilter(parsed.GetValue(state), parsed.GetValue(on)?.TrimStart('@'), parsed.GetValue(text), from, parsed.GetValue(group), parsed.GetValue(home));
            return await ListAsync(session, client, filter, parsed.GetValue(limit), cancel).ConfigureAwait(false);
        });
    }

    private static string QueryOf(JobFilter filter) => string.Concat(
        Part("state", filter.State), Part("on", filter.On), Part("text", filter.Text), Part("since", filter.Since?.ToString("O", CultureInfo.InvariantCulture)), Part("group", filter.Group), Part("home", filter.Home));

    private static string Part(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    public static Command Logs(GlobalOptions global)
    {
        var id = NewId();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the job has ended." };
        var from = new Option<long>("--from") { Description = "Start at this byte offset of the stream; with --stream events, at the event of this number." };
        var fromEvent = new Option<long?>("--from-event") { Description = "Start with the event of this number, where there is output beside the events." };
        var names = new Option<bool>("--names") { Description = "Begin each line with the name of its stream." };
        var tail = new Option<int?>("--tail", "-n") { Description = "Start so many lines before the end." };
        var stream = new Option<string?>("--stream") { Description = "out, err, both (the default), events or all; several with commas between. stdout and stderr mean the same as out and err." };
        var attempt = new Option<int?>("--attempt") { Description = "An earlier attempt; the latest when absent." };
        var at = new Option<string?>("--at") { Description = "The device where the job is at home, for a short id; a whole id names it. Needs the grant 'logs' there." };
        return global.Verb("logs", "Print the output and the events of a job, also of one that is at home on another device (docs/output.md).", [id, follow, from, tail, stream, fromEvent, names, attempt, at], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            return await LogsAsync(
                session,
                client,
                parsed.GetValue(id)!,
                parsed.GetValue(stream),
                parsed.GetValue(attempt),
                parsed.GetValue(from),
                parsed.GetValue(follow),
                cancel,
                parsed.GetValue(tail),
                parsed.GetValue(at),
                parsed.GetValue(fromEvent),
                parsed.GetValue(names)).ConfigureAwait(false);
        });
    }

    public static async Task<int> ShowAsync(Session session, ControlClient client, string id, bool failed, int limit, CancellationToken cancel)
    {
        string query = Uri.EscapeDataString(id);
        if (ArrayName.TryRead(id) is { Element: null })
        {
            ArrayView array = await client.GetAsync($"v1/array?id={query}", ControlJson.Default.ArrayView, cancel).ConfigureAwait(false);
            await new ArrayRun(session, client).ShowAsync(array, failed, limit, cancel).ConfigureAwait(false);
        }
        else
        {
            JobLines.Show(session, await client.GetAsync($"v1/job?id={query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false));
        }

        return 0;
    }

    /// <param name="verb">cancel or retry.</param>
    public static async Task<int> ActAsync(Session session, ControlClient client, string verb, string id, CancellationToken cancel, string more = "")
    {
        string query = Uri.EscapeDataString(id);
        if (ArrayName.TryRead(id) is { Element: null })
        {
            ArrayView array = await client.PostAsync($"v1/array/{verb}?id={query}", ControlJson.Default.ArrayView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(array, ControlJson.Default.ArrayView, $"{array.ShortId} {array.State}: {ArrayRun.Counts(array)}");
        }
        else
        {
            JobView job = await client.PostAsync($"v1/job/{verb}?id={query}{more}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
            string stopping = verb == "cancel" && job.State == "running" ? " still: it was asked to stop" : "";
            session.Terminal.Answer(job, ControlJson.Default.JobView, $"{job.ShortId} {job.State}{stopping}");
        }

        return 0;
    }

    private static Argument<string> NewId() => new("JOB") { Description = "A job's short id or whole id; an array (a-7f3kq2m) or its element (a-7f3kq2m/12)." };

    private static Command Act(GlobalOptions global, string verb, string description)
    {
        var id = NewId();
        return global.Verb(verb, description, [id], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            return await ActAsync(session, client, verb, parsed.GetValue(id)!, cancel).ConfigureAwait(false);
        });
    }

    private static Command Why(GlobalOptions global)
    {
        var id = NewId();
        return global.Verb("why", "Say in one sentence why a job waits.", [id], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            return await WhyAsync(session, client, parsed.GetValue(id)!, cancel).ConfigureAwait(false);
        });
    }

    public static async Task<int> WhyAsync(Session session, ControlClient client, string id, CancellationToken cancel)
    {
        string query = Uri.EscapeDataString(id);
        if (ArrayName.TryRead(id) is { Element: null })
        {
            ArrayView array = await client.GetAsync($"v1/array?id={query}", ControlJson.Default.ArrayView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(array, ControlJson.Default.ArrayView, $"{array.ShortId} is {array.State}{(array.Reason is null ? "" : $": {array.Reason}")}");
        }
        else
        {
            JobView job = await client.GetAsync($"v1/job?id={query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(job, ControlJson.Default.JobView, $"{job.ShortId} is {job.State}{(job.Reason is null ? $" on {job.TargetName}" : $": {job.Reason}")}");
        }

        return 0;
    }

    private static async Task<int> HistoryAsync(Session session, ControlClient client, string id, CancellationToken cancel)
    {
        IReadOnlyList<JobEventView> events = await client.GetAsync($"v1/job/history?id={Uri.EscapeDataString(id)}", ControlJson.Default.IReadOnlyListJobEventView, cancel).ConfigureAwait(false);
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(events, ControlJson.Default.IReadOnlyListJobEventView);
            return 0;
        }

        session.Terminal.Table(
            ["#", "AT", "EVENT", "ATTEMPT", "REASON"],
            events.Select(each => (IReadOnlyList<string>)
            [
                each.Number.ToString(CultureInfo.InvariantCulture),
                each.At.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
                each.What,
                each.Attempt == 0 ? "" : each.Attempt.ToString(CultureInfo.InvariantCulture),
                each.Text,
            ]));
        if (events is [{ Number: > 1 and var first }, ..])
        {
            session.Terminal.Hint($"the {first - 1} events before are summed up in a snapshot");
        }

        return 0;
    }

    private static Command Retry(GlobalOptions global)
    {
        var id = NewId();
        var fromStart = new Option<bool>("--from-start") { Description = "Without the checkpoint that an earlier attempt left." };
        return global.Verb("retry", "Begin a paused, failed or cancelled job again, from its checkpoint. Of an array: every element that did not complete.", [id, fromStart], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            return await ActAsync(session, client, "retry", parsed.GetValue(id)!, cancel, parsed.GetValue(fromStart) ? "&from=start" : "").ConfigureAwait(false);
        });
    }

    private static Command Prune(GlobalOptions global)
    {
        var before = new Option<TimeSpan?>("--before") { Description = "Jobs that ended so long ago: 12h, 30d; without it, what is over agentmesh.jobs.retained-for and retained-max.", CustomParser = Durations.Parse };
        var dry = new Option<bool>("--dry-run") { Description = "Say what would be removed, and remove nothing." };
        var home = new Option<string?>("--home") { Description = "Those of a pool (docs/pools.md), or 'device' for those of this device; without it, the setting jobs.home." };
        return global.Verb("prune", "Remove ended jobs with their journal and output; arrays and workflows as a whole.", [before, dry, home], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            bool isDry = parsed.GetValue(dry);
            string age = parsed.GetValue(before) is { } span ? string.Create(CultureInfo.InvariantCulture, $"&before-ms={Math.Ceiling(span.TotalMilliseconds):0}") : "";
            string of = parsed.GetValue(home) is { } name ? $"&home={Uri.EscapeDataString(name)}" : "";
            PrunedView pruned = await client.PostAsync($"v1/jobs/prune?dry-run={(isDry ? "true" : "false")}{age}{of}", ControlJson.Default.PrunedView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(
                pruned,
                ControlJson.Default.PrunedView,
                string.Create(CultureInfo.InvariantCulture, $"{pruned.Jobs} jobs, {pruned.Arrays} arrays and {pruned.Workflows} workflows {(isDry ? "would be removed" : "removed")}"));
            if (pruned.Elsewhere > 0)
            {
                session.Terminal.Hint(string.Create(CultureInfo.InvariantCulture, $"{pruned.Elsewhere} more are held by other members of the pool, which remove what is over their own settings; run it there too"));
            }

            return 0;
        });
    }
}
