using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>cron add, list, show, runs, enable, disable, run, backfill, rm, reload.</summary>
internal static class CronVerbs
{
    public static Command All(GlobalOptions global)
    {
        var cron = new Command("cron", "Run commands at times that repeat (docs/cron.md).") { Add(global) };
        cron.Subcommands.Add(global.Verb("list", "List the schedules of this device.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            List(session, await client.GetAsync("v1/crons", ControlJson.Default.IReadOnlyListCronView, cancel).ConfigureAwait(false));
            return 0;
        }));
        cron.Subcommands.Add(Named(global, "show", "Show a schedule, its next five times and its last runs.", async (session, client, query, cancel) =>
            Show(session, await client.GetAsync($"v1/cron?{query}", ControlJson.Default.CronView, cancel).ConfigureAwait(false))));
        cron.Subcommands.Add(Named(global, "runs", "Show the last runs of a schedule.", async (session, client, query, cancel) =>
        {
            CronView view = await client.GetAsync($"v1/cron?{query}", ControlJson.Default.CronView, cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(view.Runs, ControlJson.Default.IReadOnlyListCronRunView);
                return;
            }

            Runs(session, view);
        }));
        cron.Subcommands.Add(global.Verb("reload", "Read CRON.md again now.", [], async (session, _, cancel) =>
        {
            using var client = session.Connect();
            return Reloaded(session, await client.PostAsync("v1/crons/reload", ControlJson.Default.CronFileView, cancel).ConfigureAwait(false));
        }));
        cron.Subcommands.Add(Act(global, "enable", "Let it run again; times that passed meanwhile are not made up for."));
        cron.Subcommands.Add(Act(global, "disable", "Let it rest until it is enabled."));
        cron.Subcommands.Add(Named(global, "run", "Run it now, whatever its times are; prints the job.", async (session, client, query, cancel) =>
        {
            JobView job = await client.PostAsync($"v1/cron/run?{query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(job, ControlJson.Default.JobView, job.ShortId);
        }));
        cron.Subcommands.Add(Backfill(global));
        cron.Subcommands.Add(Named(global, "rm", "Remove it; its jobs go on.", async (session, client, query, cancel) =>
        {
            CronRemovedView removed = await client.PostAsync($"v1/cron/remove?{query}", ControlJson.Default.CronRemovedView, cancel).ConfigureAwait(false);
            session.Terminal.Answer(removed, ControlJson.Default.CronRemovedView, $"{removed.Name} removed");
        }));
        return cron;
    }

    private static Command Add(GlobalOptions global)
    {
        var name = new Argument<string>("NAME") { Description = "What it is called on this device; POOL/NAME for one that the pool keeps (docs/pools.md)." };
        var schedule = new Argument<string>("SCHEDULE") { Description = "Five fields in quotes ('30 4 * * 1-5'), or @hourly, @daily, @weekly, @monthly, @yearly, @reboot." };
        var program = new Argument<string[]>("PROGRAM") { Description = "After --: the program and its arguments, passed on as they are. Or a line that begins with devices: @gpu-box calc 1+2.", Arity = ArgumentArity.ZeroOrMore };
        var line = new Option<string?>("--line") { Description = "A command line instead of a program, for example 'calc 1+2'." };
        var on = new Option<string?>("--on") { Description = "The device, or devices that are looked for at each time: @name, @label:gpu, @any(gpu), @all; this one when it is left out." };
        var zone = new Option<string?>("--tz") { Description = "Time zone, for example Europe/Berlin; that of this device when it is left out." };
        var missed = new Option<string?>("--missed") { Description = "What becomes of times that pass while the node is down: skip (default), once, all, 'window 2h' (those of the last two hours)." };
        var overlap = new Option<string?>("--overlap") { Description = "What becomes of a time while the last run is not over: skip (default), allow, buffer (wait for it), cancel (end it first)." };
        overlap.AcceptOnlyFromAmong("skip", "allow", "buffer", "cancel");
        var pauseAfter = new Option<int?>("--pause-after") { Description = "Disable it after so many failures one after the other; 0 (default) is never." };
        var attempts = new Option<int?>("--attempts") { Description = "Attempts of each job." };
        var attemptTimeout = new Option<TimeSpan?>("--attempt-timeout") { Description = "Longest single attempt.", CustomParser = Durations.Parse };
        var jitter = new Option<TimeSpan?>("--jitter") { Description = "Run up to so much later, always by the same part of it, so that many devices do not start at once.", CustomParser = Durations.Parse };
        var replace = new Option<bool>("--replace") { Description = "Change the schedule of that name." };
        var notify = new NotifyOptions("each run");
        var needs = new NeedsOptions();
        var place = new PlaceOptions();
        return global.Verb(
            "add",
            "Add a schedule: cron add NAME '30 4 * * *' -- PROGRAM ARGS.",
            [name, schedule, program, line, on, zone, missed, overlap, pauseAfter, attempts, attemptTimeout, jitter, .. notify.All, replace, .. place.All, .. needs.All],
            async (session, parsed, cancel) =>
            {
                Usage.CheckProgram(parsed, parsed.GetValue(program)?.FirstOrDefault());
                WantedWork work = WantedWork.Read(
                    "a schedule", parsed.GetValue(on), parsed.GetValue(program), parsed.GetValue(line), "agentmesh cron add NAME '30 4 * * *' -- PROGRAM ARGUMENTS, --line 'calc 1+2', or @DEVICE calc 1+2");
                using var client = session.Connect();
                var request = new CronRequest(
                    parsed.GetValue(name)!,
                    parsed.GetValue(schedule)!,
                    parsed.GetValue(zone),
                    work.Target,
                    work.Line,
                    work.Program,
                    parsed.GetValue(missed),
                    parsed.GetValue(overlap),
                    parsed.GetValue(pauseAfter),
                    parsed.GetValue(attempts),
                    parsed.GetValue(attemptTimeout)?.TotalMilliseconds,
                    parsed.GetValue(replace),
                    parsed.GetValue(jitter)?.TotalMilliseconds,
                    needs.Resources(parsed),
                    needs.Priority(parsed),
                    needs.Group(parsed))
                {
                    Environment = place.Variables(parsed),
                    Directory = place.Directory(parsed),
                    Notify = notify.Url(parsed),
                    NotifyOn = notify.On(parsed),
                };
                CronView cron = await client.PostAsync("v1/crons", request, ControlJson.Default.CronRequest, ControlJson.Default.CronView, cancel).ConfigureAwait(false);
                Tell(session, cron);
                return 0;
            });
    }

    private static Command Backfill(GlobalOptions global)
    {
        var name = new Argument<string>("NAME") { Description = "A schedule as 'cron list' shows it." };
        var from = new Option<string>("--from") { Description = "The first moment: 2026-03-01, 2026-03-01T04:30 (as the clocks of the schedule show it), or with an offset.", Required = true };
        var to = new Option<string>("--to") { Description = "The last moment, in the past.", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only print the times." };
        return global.Verb("backfill", "Fire times of the past, each once, as the overlap policy lets them.", [name, from, to, dryRun], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            CronBackfillView view = await client.PostAsync(
                $"v1/cron/backfill?name={Uri.EscapeDataString(parsed.GetValue(name)!)}",
                new BackfillRequest(parsed.GetValue(from), parsed.GetValue(to), parsed.GetValue(dryRun)),
                ControlJson.Default.BackfillRequest,
                ControlJson.Default.CronBackfillView,
                cancel).ConfigureAwait(false);
            string times = string.Concat(view.Times.Select(time => Local(time, view.TimeZone) + "\n"));
            session.Terminal.Answer(view, ControlJson.Default.CronBackfillView, $"{(view.DryRun ? times : "")}{view.Times.Count} times {(view.DryRun ? "would be" : "are")} fired");
            return 0;
        });
    }

    private static Command Act(GlobalOptions global, string verb, string description) => Named(global, verb, description, async (session, client, query, cancel) =>
        Tell(session, await client.PostAsync($"v1/cron/{verb}?{query}", ControlJson.Default.CronView, cancel).ConfigureAwait(false)));

    private static Command Named(GlobalOptions global, string verb, string description, Func<Session, ControlClient, string, CancellationToken, Task> run)
    {
        var name = new Argument<string>("NAME") { Description = "A schedule as 'cron list' shows it." };
        return global.Verb(verb, description, [name], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            await run(session, client, $"name={Uri.EscapeDataString(parsed.GetValue(name)!)}", cancel).ConfigureAwait(false);
            return 0;
        });
    }

    private static void Tell(Session session, CronView cron)
    {
        session.Terminal.Answer(cron, ControlJson.Default.CronView, $"{cron.Name} {(cron.Enabled ? $"is enabled, next: {NextOf(cron)}" : "is disabled")}");
    }

    private static void List(Session session, IReadOnlyList<CronView> crons)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(crons, ControlJson.Default.IReadOnlyListCronView);
            return;
        }

        session.Terminal.Table(
            ["NAME", "SCHEDULE", "ZONE", "ON", "NEXT", "LAST", "RUNS", "MISSED", "COMMAND"],
            crons.Select(cron => (IReadOnlyList<string>)
            [
                cron.Name,
                cron.Schedule,
                cron.TimeZone,
                cron.TargetName,
                cron.Enabled ? NextOf(cron) : "disabled",
                cron.Runs.Count > 0 ? cron.Runs[0].State : "",
                cron.Fired.ToString(CultureInfo.InvariantCulture),
                cron.MissedCount.ToString(CultureInfo.InvariantCulture),
                cron.Command,
            ]));
    }

    private static void Show(Session session, CronView cron)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(cron, ControlJson.Default.CronView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine($"schedule  {cron.Name}: {cron.Schedule} ({cron.TimeZone})");
        to.WriteLine($"command   {cron.Command}");
        to.WriteLine(cron.Target.Length > 0 ? $"on        {cron.TargetName} ({cron.Target})" : $"on        {cron.TargetName}, looked for at each time");
        if (cron.Resources is not null || cron.Priority != 0 || cron.Group is not null)
        {
            to.WriteLine($"needs     {string.Join("; ", (string[])[.. cron.Resources is { } taken ? (string[])[taken] : [], $"priority {cron.Priority}", .. cron.Group is { } group ? (string[])[$"group {group}"] : []])}");
        }

        to.WriteLine($"state     {(cron.Enabled ? "enabled" : "disabled")}");
        if (cron.Reason is { } reason)
        {
            to.WriteLine($"reason    {reason.Code}: {reason.Message}");
        }

        to.WriteLine($"policy    missed {cron.Missed}, overlap {cron.Overlap}{(cron.PauseAfter > 0 ? $", paused after {cron.PauseAfter} failures" : "")}{(cron.JitterMs > 0 ? $", up to {Durations.Age(TimeSpan.FromMilliseconds(cron.JitterMs))} later" : "")}");
        if (cron.FromFile)
        {
            to.WriteLine("from      CRON.md of this device");
        }

        ToldLines.Write(to, cron.Notify, cron.NotifyOn == "any" ? "of each run" : $"on {cron.NotifyOn}", cron.LastDelivery, at => Local(at, cron.TimeZone), $"{cron.LastDelivery?.Job} ");
        to.WriteLine($"counts    {cron.Fired} runs, {cron.MissedCount} missed, {cron.Failures} failures in a row");
        if (cron.Waiting is { } waiting)
        {
            to.WriteLine($"waiting   {Local(waiting, cron.TimeZone)}, for the end of a run");
        }

        if (cron.BackfillLeft > 0)
        {
            to.WriteLine($"backfill  {cron.BackfillLeft} times left");
        }

        foreach (DateTimeOffset next in cron.Next)
        {
            to.WriteLine($"next      {Local(next, cron.TimeZone)}");
        }

        if (cron.Runs.Count > 0)
        {
            Runs(session, cron);
        }
    }

    private static void Runs(Session session, CronView cron)
    {
        bool isTold = cron.Notify is not null || cron.Runs.Any(run => run.Delivery is not null);
        session.Terminal.Table(
            ["JOB", "DUE", "CAUSE", "ON", "STATE", "ENDED", .. isTold ? (string[])["TOLD"] : []],
            cron.Runs.Select(run => (IReadOnlyList<string>)
            [
                run.ShortJob,
                Local(run.Nominal, cron.TimeZone),
                run.Cause,
                run.Device ?? cron.TargetName,
                run.State,
                run.EndedAt is { } ended ? Local(ended, cron.TimeZone) : "",
                .. isTold ? (string[])[ToldLines.Short(run.Delivery)] : [],
            ]));
    }

    /// <returns>1 where a job of the file has a problem.</returns>
    private static int Reloaded(Session session, CronFileView file)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(file, ControlJson.Default.CronFileView);
        }
        else
        {
            session.Terminal.Table(["LINE", "NAME", "WHAT"], file.Entries.Select(entry => (IReadOnlyList<string>)[entry.Line?.ToString(CultureInfo.InvariantCulture) ?? "", entry.Name ?? "", entry.What]));
            foreach (ProblemView problem in file.Entries.Select(entry => entry.Problem).OfType<ProblemView>())
            {
                session.Terminal.Problem(new MeshException(problem.Code, problem.Message, problem.Next));
            }
        }

        return file.Entries.Any(entry => entry.Problem is not null) ? 1 : 0;
    }

    private static string NextOf(CronView cron) => cron.Next.Count > 0 ? Local(cron.Next[0], cron.TimeZone) : "at the start of the node";

    /// <summary>As the clocks of the schedule show it.</summary>
    private static string Local(DateTimeOffset moment, string zone) =>
        (TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found) ? TimeZoneInfo.ConvertTime(moment, found) : moment).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
